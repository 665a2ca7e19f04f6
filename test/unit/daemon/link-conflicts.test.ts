import { expect, it } from 'vitest';
import { readTunnelRequest } from '../../../src/config/tunnel-request.ts';
import { refuseBeside } from '../../../src/daemon/link-conflicts.ts';

const tunnel = (name: string, settings: object) => readTunnelRequest(name, { ...settings }, 'auto');
const running = [
  tunnel('vx1', { id: 1, local: '10.0.0.1' }),
  tunnel('vx2', { id: 2, port: 5, vlans: ['10:1010'] }),
];

it('refuseBeside() lets tunnels of other names and VNIs share a socket', () => {
  refuseBeside(tunnel('vx3', { id: 3, local: '10.0.0.1' }), running);
  refuseBeside(tunnel('vx3', { id: 3, port: 5 }), running);
  refuseBeside(tunnel('vx3', { id: 3, port: 6 }), running);
});

it.each([
  ['vx1', { id: 9, local: '10.0.0.1' }, 'ERR_EXISTS', 'it exists already'],
  ['vx9', { id: 1, local: '10.0.0.1' }, 'ERR_EXISTS', '1 is the VNI of "vx1"'],
  ['vx9', { id: 1010, port: 5 }, 'ERR_EXISTS', '1010 is the VNI of "vx2"'],
  ['vx9', { id: 9, port: 6, vlans: ['7:2'] }, 'ERR_EXISTS', '2 is the VNI of "vx2"'],
  ['vx9', { id: 9 }, 'ERR_USAGE', 'port 4789 in common with "vx1"'],
  ['vx9', { id: 9, port: 5, local: '10.0.0.1' }, 'ERR_USAGE', 'port 5 in common with "vx2"'],
])('refuseBeside() refuses %s with %j', (name, settings, code, message) => {
  expect(() => refuseBeside(tunnel(name, settings), running)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) as string }),
  );
});
