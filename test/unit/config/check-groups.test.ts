import { expect, it } from 'vitest';

import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError } from '../../../src/config/problem.ts';

function problemsOf(text: string): string[] {
  try {
    loadConfig(text, 'x.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
  }
}

it('reads group, device and TTL, and takes the family of the group', () => {
  const text = 'tunnels: { a: { id: 1, group: "FF05::100", link: eth0, multicast-ttl: 4 } }';
  expect(loadConfig(text, 'x').tunnels[0]).toMatchObject({
    ...{ families: [6], outer: { link: 'eth0' }, multicastTtl: 4 },
    group: { text: 'ff05::100', family: 6 },
  });
  const plain = loadConfig('tunnels: { a: { id: 1, group: 239.1.1.1, link: eth0 } }', 'x');
  expect(plain.tunnels[0]).toMatchObject({ families: [4], multicastTtl: 1 });
});

it.each([
  ['{ id: 1, group: 192.0.2.1, link: eth0 }', 'is not a multicast address'],
  ['{ id: 1, group: ff01::1, link: eth0 }', 'never leaves the host'],
  ['{ id: 1, group: "ff02::1%eth0", link: eth0 }', 'the key "link"'],
  ['{ id: 1, group: 239.1.1.1 }', 'together with "link"'],
  ['{ id: 1, multicast-ttl: 3 }', 'together with "group"'],
  ['{ id: 1, group: 239.1.1.1, link: eth0, multicast-ttl: 0 }', 'allowed: 1 to 255'],
  ['{ id: 1, group: 239.1.1.1, link: eth0, local: fd00::1 }', 'a local address of each family'],
  ['{ id: 1, remotes: [239.1.1.1] }', 'has the key "group"'],
])('refuses %s', (tunnel, message) => {
  expect(problemsOf(`tunnels: { a: ${tunnel} }`)).toEqual([expect.stringContaining(message)]);
});

it('takes groups of any device and TTL side by side, and one beside remotes of the other family', () => {
  const text = `tunnels:
  a: { id: 1, group: 239.1.1.1, link: eth0 }
  b: { id: 2, group: 239.1.1.1, link: eth1, multicast-ttl: 2 }
  c: { id: 3, group: ff05::1, link: eth0, remotes: [192.0.2.1] }`;
  expect(problemsOf(text)).toEqual([]);
  expect(loadConfig(text, 'x').tunnels[2]!.families).toEqual([4, 6]);
});

it('reads host names among the remotes', () => {
  const text = 'tunnels: { a: { id: 1, remotes: [vtep-b.example, 192.0.2.1, VTEP-C] } }';
  const [tunnel] = loadConfig(text, 'x').tunnels;
  expect(tunnel!.remoteNames).toEqual(['vtep-b.example', 'vtep-c']);
  expect(tunnel!.remotes.map((remote) => remote.text)).toEqual(['192.0.2.1']);
  expect(problemsOf('tunnels: { a: { id: 1, remotes: [x.example, X.example] } }')).toEqual([
    expect.stringContaining('is there twice'),
  ]);
});
