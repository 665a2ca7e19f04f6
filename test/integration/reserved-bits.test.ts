import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { udpFrame, vxlan } from '../support/frames.ts';
import { waitFor } from '../support/lab.ts';
import { OuterBench, underlayOf } from '../support/outer-bench.ts';
import { describeIf } from '../support/requires.ts';
import { fdbOf, tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { kernelVxlan: true, tun: true, commands: ['ethtool'] } as const;
const I_FLAG = 0x0800_0000;

/** The first and second word of the header with one reserved bit each: 31 of the first, 8 of the second. */
const BITS = [
  ...Array.from({ length: 32 }, (_, bit) => ({ first: (1 << bit) >>> 0, last: 0 })),
  ...Array.from({ length: 8 }, (_, bit) => ({ first: 0, last: 1 << bit })),
].filter(({ first }) => first !== I_FLAG);

describeIf(REQUIREMENT, 'reserved bits of the VXLAN header', () => {
  let bench: OuterBench;
  let daemon: Vtepd;

  beforeAll(async () => {
    bench = await OuterBench.open();
    expect(BITS).toHaveLength(39);
  });
  afterAll(async () => bench.close());
  afterEach(async () => daemon.stop());

  /** Sends a datagram with each bit of its own, and a clean one; returns which were delivered. */
  async function passed(settings: string): Promise<boolean[]> {
    daemon = await bench.daemon(4, settings);
    const headers = [...BITS, { first: 0, last: 0 }];
    const sources = headers.map((_, index) => `02:00:00:00:77:${String(index).padStart(2, '0')}`);
    const datagrams = headers.map(({ first, last }, index) => {
      const frame = udpFrame(sources[index]!, '02:00:00:00:78:02', 'bit');
      return vxlan(42, frame, I_FLAG | first, last);
    });
    await bench.agents.b.sendUdp({ address: underlayOf(4).a, port: 4789 }, datagrams);
    await waitFor(
      () => {
        const { rx, drops } = tunnelOf(daemon);
        return rx.packets + (drops['reserved_bits'] ?? 0) >= headers.length;
      },
      { what: 'all datagrams to be counted' },
    );
    // What passed was learned, what was dropped was not.
    const learned = fdbOf(daemon);
    return sources.map((source) => learned.has(source));
  }

  it('are ignored unless the configuration says otherwise, each of the 39', async () => {
    expect(await passed('mtu: 1400')).toEqual(Array(40).fill(true));
    expect(tunnelOf(daemon).drops).toEqual({});
  });

  it('are dropped and counted when strict, each of the 39; clean headers pass', async () => {
    expect(await passed('reserved-bits: strict')).toEqual([
      ...Array<boolean>(39).fill(false),
      true,
    ]);
    expect(tunnelOf(daemon).drops).toEqual({ reserved_bits: 39 });
  });

  it('are dropped by a mask where it has them', async () => {
    // 0x80000000 and 0x00000001 of the first word, 0x0f of the second.
    const mask = 0x8000_0001;
    const wanted = BITS.map(({ first, last }) => (first & mask) === 0 && (last & 0x0f) === 0);
    expect(wanted.filter((pass) => !pass)).toHaveLength(6);
    expect(await passed('reserved-bits: 0x800000010000000f')).toEqual([...wanted, true]);
    expect(tunnelOf(daemon).outer.reserved_bits).toBe('0x800000010000000f');
  });

  it('do not occur in what the kernel device sends: strict tunnels hear it', async () => {
    daemon = await bench.daemon(4, 'reserved-bits: strict');
    const { a, b } = underlayOf(4);
    addKernelVxlan(bench.b, { vni: 42, local: b, remote: a, extra: ['dev', 'eth0'] });
    const frame = udpFrame('02:00:00:00:77:01', '02:00:00:00:77:02', 'kernel');
    await bench.agents.b.inject('vx42', [frame]);
    await waitFor(() => tunnelOf(daemon).rx.packets > 0, { what: 'the frame' });
    expect(tunnelOf(daemon).drops).toEqual({});
  });
});
