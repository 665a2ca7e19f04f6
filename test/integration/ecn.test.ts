import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Capture } from '../support/capture.ts';
import { ethernet, ETHERTYPE, udp, vxlan } from '../support/frames.ts';
import { waitFor } from '../support/lab.ts';
import { OuterBench, underlayOf } from '../support/outer-bench.ts';
import { describeIf } from '../support/requires.ts';
import { tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = {
  kernelVxlan: true,
  tun: true,
  commands: ['ethtool', 'tcpdump', 'tshark'],
} as const;
const DESTINATION = '02:00:00:00:0b:01';
const DSCP = 0xb8;
const CODEPOINTS = [0, 1, 2, 3] as const;
const NAMES = ['Not-ECT', 'ECT(1)', 'ECT(0)', 'CE'] as const;
const DROP = -1;

/** RFC 6040 figure 4: rows are the inner codepoint, columns the outer one, both in their numbers' order. */
const DECAPSULATED = [
  [0, 0, 0, DROP],
  [1, 1, 1, 3],
  [2, 1, 2, 3],
  [3, 3, 3, 3],
] as const;

for (const underlay of [4, 6] as const) {
  describeIf(REQUIREMENT, `ECN over IPv${underlay}`, () => {
    let bench: OuterBench;
    let daemon: Vtepd;

    beforeAll(async () => {
      bench = await OuterBench.open();
      daemon = await bench.daemon(underlay, 'mac-learning: false');
    });
    afterAll(async () => bench.close());

    /** Runs `send`, and waits until the frames from these sources are in the overlay; their TOS by source. */
    async function tosInOverlay(
      sources: readonly string[],
      send: () => Promise<void>,
    ): Promise<Map<string, number>> {
      const capture = await Capture.start(bench.a, 'vx42');
      const seen = new Map<string, number>();
      await send();
      await waitFor(
        () => {
          for (const packet of capture.decode(['eth.src', 'ip.dsfield', 'ipv6.tclass'])) {
            const tos = packet['ip.dsfield'][0] ?? packet['ipv6.tclass'][0];
            seen.set(packet['eth.src'][0]!, Number(tos));
          }
          return sources.every((source) => seen.has(source));
        },
        { what: () => `frames of ${sources.join(', ')}: ${JSON.stringify([...seen])}` },
      ).finally(() => capture.stop());
      return seen;
    }

    describe.each([4, 6] as const)('with IPv%d inside', (family) => {
      it('has all 16 rows of the table: 15 combine, one is dropped and counted', async () => {
        const before = tunnelOf(daemon).drops['ecn'] ?? 0;
        const rows = CODEPOINTS.flatMap((inner) => CODEPOINTS.map((outer) => ({ inner, outer })));
        const datagrams = rows.map(({ inner, outer }) => ({
          tos: outer,
          payload: vxlan(42, frame(family, sourceOf(inner, outer), DSCP | inner)),
        }));
        const wanted = new Map(
          rows
            .map(({ inner, outer }) => ({
              source: sourceOf(inner, outer),
              result: DECAPSULATED[inner][outer],
            }))
            .filter(({ result }) => result !== DROP)
            .map(({ source, result }) => [source, DSCP | result]),
        );
        expect(wanted.size).toBe(15);
        const seen = await tosInOverlay([...wanted.keys()], () =>
          bench.sendRaw(underlay, datagrams),
        );
        for (const { inner, outer } of rows) {
          const source = sourceOf(inner, outer);
          expect(seen.get(source), `${NAMES[inner]} in ${NAMES[outer]}`).toBe(wanted.get(source));
        }
        expect(tunnelOf(daemon).drops['ecn']).toBe(before + 1);
      });

      it('leaves with the inner codepoint outside (normal mode), whatever the DSCP', async () => {
        const frames = CODEPOINTS.map((inner) => frame(family, sourceOf(inner, 0), DSCP | inner));
        const headers = await bench.headersOf(frames);
        expect(headers.map(({ tos }) => tos)).toEqual([...CODEPOINTS]);
      });
    });

    it('passes what the kernel device encapsulates with its codepoint unchanged', async () => {
      const { a, b } = underlayOf(underlay);
      addKernelVxlan(bench.b, { vni: 42, local: b, remote: a, extra: ['dev', 'eth0'] });
      const sources = CODEPOINTS.map((inner) => sourceOf(inner, 0));
      const frames = CODEPOINTS.map((inner) => frame(4, sources[inner]!, DSCP | inner));
      const seen = await tosInOverlay(sources, () => bench.agents.b.inject('vx42', frames));
      // The kernel sends CE inside ECT(0): it stays CE.
      expect(sources.map((source) => seen.get(source))).toEqual(
        CODEPOINTS.map((inner) => DSCP | inner),
      );
    });
  });
}

function sourceOf(inner: number, outer: number): string {
  return `02:00:00:00:0e:${inner}${outer}`;
}

function frame(family: 4 | 6, source: string, tos: number): Buffer {
  const addresses =
    family === 4
      ? { source: '10.9.0.1', destination: '10.9.0.2', tos }
      : { source: 'fd00:9::1', destination: 'fd00:9::2', tos };
  const packet = udp(addresses, { sourcePort: 9000, destinationPort: 7 }, Buffer.alloc(20));
  const type = family === 4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6;
  return ethernet({ source, destination: DESTINATION, type }, packet);
}
