import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import { Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { reach, throughput } from '../support/measure.ts';
import { distFolder } from '../support/paths.ts';
import { describeIf } from '../support/requires.ts';
import { addKernelVxlan } from '../support/vtepd.ts';

describeIf({ namespaces: true }, 'a lab', () => {
  let lab: Lab;
  afterEach(async () => lab.close());

  it('joins two hosts over IPv4 and IPv6 at once', async () => {
    lab = new Lab();
    const { a, b } = lab.twoHosts();
    for (const address of [UNDERLAY.b4, UNDERLAY.b6]) {
      const answer = await reach({ from: a, to: b, address, count: 2 });
      expect(answer).toMatchObject({ sent: 2, received: 2 });
    }
  });

  it('moves bytes with its own sender and receiver', async () => {
    lab = new Lab();
    const { a, b } = lab.twoHosts();
    const result = await throughput({
      sender: a,
      receiver: b,
      senderAddress: UNDERLAY.a4,
      receiverAddress: UNDERLAY.b4,
      seconds: 0.3,
      tool: 'node',
    });
    expect(result.bytes).toBeGreaterThan(1 << 20);
    expect(result.bitsPerSecond).toBeGreaterThan(1e6);
  });

  it('ends its processes and removes its namespaces and files', async () => {
    lab = new Lab();
    const host = lab.host('a');
    const child = host.spawn('sleep', '60');
    // A background job of a shell is not a child of ours, but lives in the namespace.
    host.must('sh', '-c', 'sleep 60 >/dev/null 2>&1 & echo $! > "$0"', join(lab.folder, 'pid'));
    await lab.close();
    expect(child.running).toBe(false);
    expect(existsSync(`/run/netns/${host.namespace}`)).toBe(false);
    expect(existsSync(lab.folder)).toBe(false);
  });

  it('leaves nothing behind when its process is told to stop', async () => {
    lab = new Lab();
    const script = `
      import { Lab } from ${JSON.stringify(join(distFolder(), 'test/support/lab.js'))};
      const lab = new Lab('vtsig');
      lab.host('a').spawn('sleep', '60');
      console.log('up');
      setInterval(() => {}, 1000);`;
    const program = spawn(process.execPath, ['--input-type=module', '-e', script]);
    let output = '';
    program.stdout.on('data', (data: Buffer) => (output += data.toString()));
    await waitFor(() => output.includes('up'), { what: 'the other lab' });
    const namespaces = (): string[] =>
      readdirSync('/run/netns').filter((name) => name.startsWith(`vtsig${program.pid}-`));
    expect(namespaces()).toHaveLength(1);
    program.kill('SIGTERM');
    await waitFor(() => namespaces().length === 0, { what: 'its namespace to go' });
    await waitFor(() => program.signalCode === 'SIGTERM', { what: 'its end by the signal' });
  });
});

describeIf({ kernelVxlan: true }, 'a lab with kernel devices', () => {
  it('carries a ping through two kernel vxlan devices', async () => {
    const lab = new Lab();
    try {
      const { a, b } = lab.twoHosts();
      const ends = [
        { host: a, local: UNDERLAY.a4, remote: UNDERLAY.b4, address: '10.0.0.1/24' },
        { host: b, local: UNDERLAY.b4, remote: UNDERLAY.a4, address: '10.0.0.2/24' },
      ];
      for (const { host, local, remote, address } of ends) {
        addKernelVxlan(host, { vni: 42, local, remote, addresses: [address] });
      }
      const answer = await reach({ from: a, to: b, address: '10.0.0.2', count: 2 });
      expect(answer.received).toBe(2);
    } finally {
      await lab.close();
    }
  });
});
