import { expect, test } from 'vitest';
import { DataPath, VNI } from '../../support/data-path.ts';
import { bytesOf, udpFrame, vxlanDatagram, type TransportSpec } from '../../support/packets.ts';

const REMOTE = '192.0.2.1';
const REMOTE6 = '2001:db8::1';

/** A frame that holds a VXLAN datagram. */
function encapsulated(vni: number, spec: TransportSpec, header = {}): Uint8Array {
  const payload = vxlanDatagram(vni, udpFrame(), header);
  return udpFrame({ destinationIp: REMOTE, destinationPort: 4789, payload, ...spec });
}

function transmitted(frame: Uint8Array): Record<string, number> {
  const path = new DataPath();
  path.flood([path.remote(REMOTE), path.remote(REMOTE6)]);
  path.remote('192.0.2.7', { stranger: true });
  path.tunnel(1, 7);
  path.remote('192.0.2.9', { tunnel: 1 });
  path.transmit([{ frame }]);
  return path.drops();
}

test.each([
  ['IPv4', {}],
  ['IPv6', { family: 6, destinationIp: REMOTE6 }],
  ['another port', { destinationPort: 8472 }],
] as const)('our own datagram is not wrapped again: %s', (_, spec) => {
  expect(transmitted(encapsulated(VNI, spec))).toEqual({ circular_route: 1 });
});

test('our own datagram with the VNI that a remote asks for is not wrapped again', () => {
  const path = new DataPath();
  path.flood([path.remote(REMOTE, { vni: 77 })]);
  path.transmit([{ frame: encapsulated(77, {}) }, { frame: encapsulated(78, {}) }]);
  expect(path.drops()).toEqual({ circular_route: 1 });
  expect(path.sender.datagrams).toHaveLength(1);
});

test.each([
  ['another VNI', encapsulated(VNI + 1, {})],
  ['another end', encapsulated(VNI, { destinationIp: '10.0.0.2' })],
  ['another family', encapsulated(VNI, { family: 6, destinationIp: 'fd00::2' })],
  ['a remote of another tunnel', encapsulated(VNI, { destinationIp: '192.0.2.9' })],
  ['an address that is not allowed', encapsulated(VNI, { destinationIp: '192.0.2.7' })],
  ['no I flag', encapsulated(VNI, {}, { flags: 0 })],
  ['reserved bits', encapsulated(VNI, {}, { reserved: 1 })],
  ['no whole header', udpFrame({ destinationIp: REMOTE, payload: bytesOf(7) })],
  ['a fragment', encapsulated(VNI, { moreFragments: true })],
])('a tunnel inside of the tunnel passes: %s', (_, frame) => {
  expect(transmitted(frame)).toEqual({});
});
