import { afterAll, beforeAll, expect, it } from 'vitest';

import { checkOverlay } from '../support/overlay-checks.ts';
import { addKernelVxlan } from '../support/vtepd.ts';
import { describeIf } from '../support/requires.ts';
import {
  caseName,
  MATRIX_REQUIREMENT,
  TunnelBench,
  tunnelCases,
  type TunnelCase,
  underlayAddresses,
  type VethOffloads,
} from '../support/tunnel-matrix.ts';

/** One suite an underlay; the hosts stay, the tunnels change. */
function suite(veth: VethOffloads, withKernel: boolean, cases: readonly TunnelCase[]): void {
  const peers = withKernel ? 'a kernel vxlan device' : 'another vtepd';
  const requirement = { ...MATRIX_REQUIREMENT, kernelVxlan: withKernel };
  describeIf(requirement, `a tunnel to ${peers}, veth offloads ${veth}`, () => {
    let bench: TunnelBench;
    beforeAll(async () => {
      bench = await TunnelBench.open(veth);
    });
    afterAll(async () => bench.lab.close());

    for (const wanted of cases) {
      it(`carries ping, TCP and UDP both ways: ${caseName(wanted)}`, async () =>
        bench.check(wanted));
    }
  });
}

// The fast underlay in every combination; the portable one with every value of each dimension.
suite('default', false, [
  ...tunnelCases('fast', 'fast'),
  { a: 'portable', b: 'portable', underlay: 4, offload: 'auto' },
  { a: 'portable', b: 'fast', underlay: 6, offload: 'auto' },
]);
suite('tx off', false, [
  ...tunnelCases('fast', 'fast'),
  { a: 'portable', b: 'portable', underlay: 6, offload: 'off' },
  { a: 'portable', b: 'fast', underlay: 4, offload: 'off' },
]);
suite('default', true, [
  ...tunnelCases('fast', 'kernel'),
  { a: 'portable', b: 'kernel', underlay: 4, offload: 'auto' },
  { a: 'portable', b: 'kernel', underlay: 6, offload: 'off' },
]);
suite('tx off', true, [
  ...tunnelCases('fast', 'kernel'),
  { a: 'portable', b: 'kernel', underlay: 4, offload: 'off' },
  { a: 'portable', b: 'kernel', underlay: 6, offload: 'auto' },
]);

describeIf({ ...MATRIX_REQUIREMENT, kernelVxlan: true }, 'a tunnel set up by a newcomer', () => {
  let bench: TunnelBench;
  beforeAll(async () => {
    bench = await TunnelBench.open();
  });
  afterAll(async () => bench.lab.close());

  it('works with a kernel device whose MTU nobody has set', async () => {
    const { a, b } = bench;
    const ends = await bench.join({ a: 'fast', b: 'kernel', underlay: 4, offload: 'auto' });
    const address = underlayAddresses(4);
    b.host.ip('link', 'del', 'vx42');
    addKernelVxlan(b.host, {
      vni: 42,
      local: address.b,
      remote: address.a,
      addresses: [`${b.ip4}/24`, `${b.ip6}/64`],
    });
    expect(b.host.ip('link', 'show', 'vx42')).toMatch(/mtu 1[45]\d\d/);
    await checkOverlay(a, b);
    await ends.close();
  });
});
