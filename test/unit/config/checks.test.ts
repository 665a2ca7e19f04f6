import { describe, expect, it } from 'vitest';
import { formatPath } from '../../../src/config/problem.ts';
import { readConfig } from '../../../src/config/read.ts';
import { parseYaml } from '../../../src/config/yaml-tree.ts';

function check(text: string): string[] {
  const parsed = parseYaml(text);
  if (!('tree' in parsed)) throw new Error('not YAML');
  const result = readConfig(parsed.tree, {});
  if ('config' in result) return [];
  return result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

const tunnel = (settings: string) => check(`tunnels: { a: { id: 1, ${settings} } }`);
const global = (settings: string) => check(`${settings}\ntunnels: { a: { id: 1 } }`);

describe('checkTunnels()', () => {
  it('wants one tunnel per VNI', () => {
    expect(check('tunnels:\n  a: {id: 7}\n  b: {vni: 7, mtu: 1400}')).toEqual([
      'tunnels.b.vni: 7 is the VNI of tunnel "a" too (line 2); allowed: one tunnel per VNI',
    ]);
  });

  it('bounds their number', () => {
    const tunnels = Array.from({ length: 4097 }, (_, i) => `  t${i}: {id: ${i + 1}}`);
    expect(check(`tunnels:\n${tunnels.join('\n')}`)).toEqual([
      'tunnels: 4097 tunnels are too many; allowed: up to 4096',
    ]);
  });
});

describe('checkTunnels() of listeners', () => {
  const pair = (a: string, b: string) =>
    check(`tunnels:\n  a: { id: 1, ${a} }\n  b: { id: 2, ${b} }`);

  it('refuses local and no local on one port, in either order, at the local', () => {
    const message =
      'a tunnel without local listens on every address of the port; ' +
      'allowed: local in all of them or in none';
    expect(pair('local: 10.0.0.1', 'port: 4789')).toEqual([
      `tunnels.a.local: 10.0.0.1 has port 4789 in common with tunnel "b" (line 3), and ${message}`,
    ]);
    expect(pair('remotes: ["fd00::2"], port: 8472', 'local: fd00::1, port: 8472')).toEqual([
      `tunnels.b.local: fd00::1 has port 8472 in common with tunnel "a" (line 2), and ${message}`,
    ]);
  });

  it('makes one problem of one port, however many tunnels have it', () => {
    const tunnels = ['a: { id: 1, local: 10.0.0.1 }', 'b: { id: 2, local: 10.0.0.2 }'];
    const wildcards = ['c: { id: 3 }', 'd: { id: 4 }'];
    expect(check(`tunnels:\n  ${[...tunnels, ...wildcards].join('\n  ')}`)).toHaveLength(1);
  });

  it('lets tunnels be that differ in port or family, or all have local, or none', () => {
    expect(pair('local: 10.0.0.1', 'port: 4790')).toEqual([]);
    expect(pair('local: "fd00::1"', 'remotes: [10.0.0.2]')).toEqual([]);
    expect(pair('local: 10.0.0.1', 'remotes: ["fd00::2"]')).toEqual([]);
    expect(pair('local: 10.0.0.1', 'local: 10.0.0.2')).toEqual([]);
    expect(pair('port: 4790', 'port: 4790')).toEqual([]);
  });

  it('says nothing of a tunnel whose address or port is wrong by itself', () => {
    const local = 'local: 10.0.0.1';
    expect(pair(local, 'local: 10.0.0')).toEqual([expect.stringContaining('tunnels.b.local: ')]);
    expect(pair(local, 'port: 0')).toEqual([expect.stringContaining('tunnels.b.port: ')]);
    expect(pair(local, 'remotes: [x/y]')).toEqual([expect.stringContaining('.b.remotes[0]: ')]);
  });
});

describe('checkTunnel()', () => {
  it('refuses a remote that is the local address, however it is written', () => {
    expect(tunnel('local: "2001:db8::1", remotes: ["2001:db8:0::1"]')).toEqual([
      'tunnels.a.remotes[0]: "2001:db8::1" is the local address; allowed: the addresses of other hosts',
    ]);
  });

  it('refuses a remote of a family that has no local address where another has', () => {
    expect(tunnel('local: 10.0.0.1, remotes: ["2001:db8::1"]')).toEqual([
      'tunnels.a.remotes[0]: "2001:db8::1" is IPv6 but the local address is IPv4; allowed: ' +
        'a local address of each family, or none',
    ]);
    expect(tunnel('remotes: [10.0.0.1, "2001:db8::1"]')).toEqual([]);
    expect(tunnel('local: [10.0.0.9, fd00::9], remotes: [10.0.0.1, "2001:db8::1"]')).toEqual([]);
  });

  it('takes one local address of each family', () => {
    expect(tunnel('local: [10.0.0.1, fd00::1]')).toEqual([]);
    expect(tunnel('local: [10.0.0.1, 10.0.0.2]')).toEqual([
      'tunnels.a.local[1]: "10.0.0.2" is a second IPv4 address; ' +
        'allowed: one address, or one of each family',
    ]);
  });

  it('refuses a link-local remote behind another interface than the local address', () => {
    expect(tunnel('local: fe80::1%eth0, remotes: [fe80::2%eth1]')).toEqual([
      'tunnels.a.remotes[0]: "fe80::2%eth1" is on another interface than the local address; ' +
        'allowed: %eth0',
    ]);
    expect(tunnel('local: fe80::1%eth0, remotes: [fe80::2%eth0]')).toEqual([]);
  });

  it('refuses what is in a list twice', () => {
    expect(tunnel('remotes: [10.0.0.1, 10.0.0.1], addresses: [fd00::1/64, fd00:0::1/64]')).toEqual([
      'tunnels.a.remotes[1]: "10.0.0.1" is there twice; allowed: once',
      'tunnels.a.addresses[1]: "fd00::1/64" is there twice; allowed: once',
    ]);
  });

  it('wants an MTU of at least 1280 for an IPv6 address', () => {
    expect(tunnel('mtu: 1279, addresses: [10.0.0.1/24, fd00::1/64]')).toEqual([
      'tunnels.a.mtu: 1279 is too small for the IPv6 address fd00::1/64; ' +
        'allowed: at least 1280, or no IPv6 address',
    ]);
    expect(tunnel('mtu: 1280, addresses: [fd00::1/64]')).toEqual([]);
    expect(tunnel('mtu: 1279, addresses: [10.0.0.1/24]')).toEqual([]);
  });

  it('bounds the number of remotes', () => {
    const remotes = Array.from({ length: 4097 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    expect(tunnel(`remotes: [${remotes.join(', ')}]`)).toEqual([
      'tunnels.a.remotes: 4097 remotes are too many; allowed: up to 4096',
    ]);
  });
});

describe('checkGlobal()', () => {
  it('wants a range of two ports, the lower one first', () => {
    expect(global('port-range: [50000]')).toEqual([
      'port-range: a list of 1 is not a range; allowed: two ports, [49152, 65535]',
    ]);
    expect(global('port-range: [60000, 50000]')).toEqual([
      'port-range: 60000 is above 50000; allowed: the lower port first, [50000, 60000]',
    ]);
    expect(global('port-range: [0, 50000]')).toEqual([
      'port-range[0]: 0 is out of range; allowed: 1 to 65535',
    ]);
  });

  it('wants a source port for every transmit socket of every worker', () => {
    expect(global('port-range: [50000, 50063]\nworkers: 4')).toEqual([]);
    expect(global('port-range: [50000, 50062]\nworkers: 4')).toEqual([
      'port-range: 63 source ports are too few for 64 transmit sockets (4 workers with 16 each); ' +
        'allowed: a wider "port-range", or fewer "transmit-sockets"',
    ]);
  });
});
