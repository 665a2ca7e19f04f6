import { describe, expect, it } from 'vitest';
import { NEIGHBOUR_ROUTER, NEIGHBOUR_STATIC } from '../../../src/fdb/neighbour-rows.ts';
import { type NeighbourRequest, readNeighbour } from '../../../src/vtep/neighbour-request.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { FdbFixture, MAC } from './fdb-fixture.ts';

const { directory } = new FdbFixture();
const GOOD: NeighbourRequest = { dst: '10.0.0.2', dev: 'vx42', lladdr: MAC };

describe('readNeighbour()', () => {
  it('reads address, MAC, state and role', () => {
    const read = readNeighbour('add', GOOD, directory);
    expect(read).toMatchObject({ address: parseIp('10.0.0.2'), flags: NEIGHBOUR_STATIC });
    expect(read.tunnel.name).toBe('vx42');
    const router = { ...GOOD, dst: 'fe80::1', state: 'reachable', router: true } as const;
    expect(readNeighbour('add', router, directory)).toMatchObject({ flags: NEIGHBOUR_ROUTER });
    expect(readNeighbour('del', { dst: 'fd00::2', dev: 'vx42' }, directory).mac).toBeUndefined();
  });

  it.each<[string, Partial<NeighbourRequest>, string, string]>([
    ['an unknown device', { dev: 'nope' }, 'ERR_NOT_FOUND', 'Cannot find device "nope"'],
    ['no address', { dst: 'host' }, 'ERR_USAGE', 'Cannot parse the IP address "host" of "dst"'],
    ['a multicast address', { dst: 'ff02::1' }, 'ERR_USAGE', 'the neighbour "ff02::1"'],
    ['the unspecified address', { dst: '0.0.0.0' }, 'ERR_USAGE', 'the neighbour "0.0.0.0"'],
    ['a loopback address', { dst: '127.0.0.1' }, 'ERR_USAGE', 'the neighbour "127.0.0.1"'],
    ['no MAC', { lladdr: undefined }, 'ERR_USAGE', 'without its MAC address'],
    ['half a MAC', { lladdr: '52:54' }, 'ERR_USAGE', 'Cannot parse the MAC address "52:54"'],
    ['a multicast MAC', { lladdr: '01:00:5e:00:00:01' }, 'ERR_USAGE', 'a neighbour at "01:'],
    ['the zero MAC', { lladdr: '00:00:00:00:00:00' }, 'ERR_USAGE', 'a neighbour at "00:'],
  ])('refuses %s', (_, change, code, message) => {
    const read = (): unknown => readNeighbour('add', { ...GOOD, ...change }, directory);
    const text = expect.stringContaining(message) as string;
    expect(read).toThrow(expect.objectContaining({ code, message: text }));
  });
});
