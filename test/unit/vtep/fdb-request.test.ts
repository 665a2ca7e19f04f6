import { describe, expect, it } from 'vitest';
import { A, entry, FdbFixture, MAC, OTHER, ZERO } from './fdb-fixture.ts';

describe('a request', () => {
  it('takes port, vni and via, and shows them only where they differ from the tunnel', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [
      entry(MAC, A, { port: 4790, vni: 4200, srcVni: 42, via: 'eth0' }),
      entry(OTHER, A, { port: 4789, vni: 42 }),
    ]);
    expect(fixture.dump()).toEqual([
      `vx42 ${MAC} ${A} port=4790 vni=4200 eth0 permanent`,
      `vx42 ${OTHER} ${A} permanent`,
    ]);
  });

  it.each([
    [{ ...entry(MAC, A), dev: 'nope' }, 'ERR_NOT_FOUND', 'Cannot find device "nope"'],
    [entry(MAC, A, { via: 'nope' }), 'ERR_NOT_FOUND', 'Cannot find device "nope" of "via"'],
    [entry('52:54', A), 'ERR_USAGE', 'Cannot parse the MAC address "52:54"'],
    [entry(MAC, '10.0.0'), 'ERR_USAGE', 'Cannot parse the IP address "10.0.0" of "dst"'],
    [entry(MAC, '0.0.0.0'), 'ERR_USAGE', 'Cannot send to the unspecified address "0.0.0.0"'],
    [entry(MAC, '239.1.1.1'), 'ERR_USAGE', 'Cannot send to the multicast group "239.1.1.1"'],
    [
      entry(MAC, '2001:db8::1'),
      'ERR_USAGE',
      'Cannot reach the IPv6 address "2001:db8::1" from "vx42"',
    ],
    [
      { ...entry(MAC, A), dev: 'vx6' },
      'ERR_USAGE',
      `Cannot reach the IPv4 address "${A}" from "vx6"`,
    ],
    [
      { ...entry(MAC, 'fe80::1'), dev: 'vx6' },
      'ERR_USAGE',
      'Cannot reach the link-local address "fe80::1" without "via"',
    ],
    [
      entry(MAC, A, { srcVni: 43 }),
      'ERR_USAGE',
      'Cannot use src_vni 43 on "vx42", whose VNI is 42',
    ],
    [{ mac: MAC, dev: 'vx42' }, 'ERR_USAGE', `Cannot add "${MAC}" without "dst"`],
    [
      entry(ZERO, A, { state: 'dynamic' }),
      'ERR_USAGE',
      `Cannot make the list of "${ZERO}" dynamic`,
    ],
  ] as const)('refuses %o', async (request, code, message) => {
    const fixture = new FdbFixture();
    await expect(fixture.verbs.change('add', [request])).rejects.toThrow(
      expect.objectContaining({ code, message, index: 0 }),
    );
    expect(fixture.dump()).toEqual([]);
  });
});
