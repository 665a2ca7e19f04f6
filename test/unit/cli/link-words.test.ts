import { describe, expect, it } from 'vitest';
import { parseLinkAdd, parseLinkName, parseLinkSet } from '../../../src/cli/link-words.ts';

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');
const add = (line: string) => parseLinkAdd(words(line));
const set = (line: string) => parseLinkSet(words(line));

describe('parseLinkAdd()', () => {
  it('reads the words of ip link in any order', () => {
    const link = {
      name: 'vx42',
      id: 42,
      local: '192.168.120.10',
      remotes: ['192.168.120.20', '192.168.120.30'],
      port: 4790,
      'mac-learning': false,
      ageing: 60,
      mtu: '1400',
      lladdr: '02:00:00:00:00:01',
      addresses: ['10.0.0.1/24', 'fd00::1/64'],
      up: true,
    };
    const vxlan =
      'id 42 local 192.168.120.10 remote 192.168.120.20 remote 192.168.120.30 dstport 4790 ' +
      'nolearning ageing 60';
    const device = 'mtu 1400 address 02:00:00:00:00:01 address 10.0.0.1/24 address fd00::1/64 up';
    expect(add(`vx42 type vxlan ${vxlan} ${device}`)).toEqual(link);
    expect(add(`dev vx42 ${device} type vxlan ${vxlan}`)).toEqual(link);
    expect(add(`name vx42 ${device} ${vxlan} type vxlan`)).toEqual(link);
  });

  it('takes the other spellings', () => {
    expect(add('vx1 type vxlan vni 1 port 8472 local any remote any learning')).toEqual({
      ...{ name: 'vx1', id: 1, port: 8472, 'mac-learning': true },
    });
    expect(add('vx1 type vxlan id 0x10 learning off')).toMatchObject({
      ...{ id: 16, 'mac-learning': false },
    });
  });

  it('takes host names as remotes', () => {
    expect(add('vx1 type vxlan id 1 remote vtep-b.example remote 192.0.2.1')).toMatchObject({
      remotes: ['vtep-b.example', '192.0.2.1'],
    });
    expect(() => add('vx1 type vxlan id 1 remote 192.0.2.256')).toThrow('Cannot parse');
  });

  it('leaves to the daemon whether it knows the options of the outer header', () => {
    expect(add('vx1 type vxlan id 1 dev eth0 ttl inherit tos 0x10 df set group 239.1.1.1')).toEqual(
      {
        ...{ name: 'vx1', id: 1, link: 'eth0', ttl: 'inherit', 'type-of-service': '0x10' },
        ...{ 'do-not-fragment': 'set', group: '239.1.1.1' },
      },
    );
  });

  it.each([
    ['', 'Cannot add a link without the name of the device', 'NAME'],
    ['vx1 id 1', 'Cannot add a link without its type', 'type vxlan'],
    ['vx1 type vxlan', 'Cannot add a link without its VNI', 'id N'],
    ['vx1 type bridge', 'Cannot add a link of type "bridge"', 'ip link'],
    ['vx1 type', 'Missing value behind "type"', 'vxlan'],
    ['vx1 type vxlan id', 'Missing value behind "id"', undefined],
    ['vx1 type vxlan id 16777216', 'Invalid value "16777216" of "id"', 'from 1 to 16777215'],
    ['vx1 type vxlan id 1 dstport 0', 'Invalid value "0" of "dstport"', '65535'],
    ['vx1 type vxlan id 1 id 1', '"id" is given twice', undefined],
    ['vx1 type vxlan id 1 vni 2', '"vni 2" contradicts the 1 before it', undefined],
    ['vx1 type vxlan id 1 learning nolearning', '"nolearning" contradicts', undefined],
    ['vx1 type vxlan id 1 local eth0', 'Cannot parse the IP address "eth0" of "local"', 'IPv4'],
    ['vx1 type vxlan id 1 address 10.0.0.1', 'Cannot understand "10.0.0.1"', 'prefix length'],
    ['vx1 type vxlan id 1 lokal 10.0.0.1', 'Unknown word "lokal"', 'did you mean "local"?'],
    ['vx1 type vxlan id 1 external', 'Cannot use the word "external" here', 'one VNI'],
    ['vx1 type vxlan id 1 nol2miss', 'Cannot use the word "nol2miss" here', 'misses'],
    ['vx1 txqueuelen 5 type vxlan id 1', 'Cannot use the word "txqueuelen"', 'ip link set'],
    ['vx1 type vxlan id 1 master br0', 'Cannot use the word "master"', 'ip link set NAME master'],
  ])('refuses "%s"', (line, message, hint) => {
    const hinted = hint === undefined ? {} : { hint: expect.stringContaining(hint) as string };
    expect(() => add(line)).toThrow(
      expect.objectContaining({
        ...{ code: 'ERR_USAGE', message: expect.stringContaining(message) as string },
        ...hinted,
      }),
    );
  });
});

describe('parseLinkSet()', () => {
  it('reads what is to change, type vxlan being allowed in between', () => {
    expect(set('dev vx42 mtu 1400 down')).toEqual({ name: 'vx42', mtu: '1400', up: false });
    expect(set('vx42 type vxlan ageing 9 learning on')).toEqual({
      ...{ name: 'vx42', ageing: 9, 'mac-learning': true },
    });
    expect(() => set('vx42')).toThrow('without something to change');
    expect(() => set('vx42 up down')).toThrow('"down" contradicts');
  });
});

describe('parseLinkName()', () => {
  it('takes the name with dev or type, or none', () => {
    expect(parseLinkName('del', ['vx42'])).toBe('vx42');
    expect(parseLinkName('del', ['dev', 'vx42', 'type', 'vxlan'])).toBe('vx42');
    expect(parseLinkName('show', [])).toBeUndefined();
    expect(parseLinkName('show', ['type', 'vxlan'])).toBeUndefined();
    expect(() => parseLinkName('del', ['vx42', 'vx43'])).toThrow('Unexpected "vx43"');
    expect(() => parseLinkName('show', ['dev'])).toThrow('Missing value behind "dev"');
  });
});
