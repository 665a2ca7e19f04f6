import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { Capture } from '../support/capture.ts';
import { OuterBench, underlayOf } from '../support/outer-bench.ts';
import { describeIf } from '../support/requires.ts';
import { tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = {
  kernelVxlan: true,
  tun: true,
  commands: ['ethtool', 'ping', 'tcpdump', 'tshark'],
} as const;
/** Larger than an underlay of 1500 carries. */
const MTU = 1500;
const FULL_PING = ['-n', '-c', '2', '-i', '0.1', '-W', '1', '-M', 'do', '-s', String(MTU - 28)];
const TCP_BYTES = 200_000;

for (const underlay of [4, 6] as const) {
  describeIf(REQUIREMENT, `datagrams larger than the path over IPv${underlay}`, () => {
    let bench: OuterBench;
    let daemon: Vtepd;

    beforeAll(async () => {
      bench = await OuterBench.open();
      const { a, b } = underlayOf(underlay);
      addKernelVxlan(bench.b, {
        ...{ vni: 42, local: b, remote: a, mtu: MTU, addresses: ['10.0.0.2/24'] },
        extra: ['dev', 'eth0', 'df', 'unset'],
      });
    });
    afterAll(async () => bench.close());
    afterEach(async () => daemon.stop());

    const start = async (settings: string): Promise<void> => {
      const overlay = `mtu: ${MTU}, addresses: [10.0.0.1/24]`;
      daemon = await bench.daemon(underlay, `${overlay}, ${settings}`);
    };

    it('are not fragmented unless that was chosen, with DF or without', async () => {
      for (const settings of ['do-not-fragment: true', 'do-not-fragment: false']) {
        await start(settings);
        expect(bench.a.exec('ping', ...FULL_PING, '10.0.0.2').status).not.toBe(0);
        expect(tunnelOf(daemon).drops['mtu']).toBeGreaterThan(0);
        await daemon.stop();
      }
    });

    it('are fragmented here where that was chosen, pings and transfers of full segments', async () => {
      await start('do-not-fragment: false, fragment: true');
      const filter = underlay === 4 ? 'ip[6:2] & 0x3fff != 0' : 'ip6[6] == 44';
      const from = underlayOf(underlay).a;
      const capture = await Capture.start(bench.b, 'eth0', `src host ${from} and ${filter}`);
      expect(bench.a.must('ping', ...FULL_PING, '10.0.0.2')).toContain(' 0% packet loss');
      expect((await capture.frames(4)).length).toBeGreaterThanOrEqual(4);
      const { sink, port } = await bench.agents.b.call('tcpSink', { address: '10.0.0.2' });
      const request = { address: '10.0.0.2', port, bytes: TCP_BYTES, timeoutMs: 15_000 };
      const sent = await bench.agents.a.call('tcpSource', request);
      const received = await bench.agents.b.call('tcpResult', { sink, timeoutMs: 15_000 });
      expect(received).toEqual(sent);
      expect(tunnelOf(daemon).drops).toEqual({});
    });
  });
}
