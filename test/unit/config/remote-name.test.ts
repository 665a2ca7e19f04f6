import { describe, expect, it } from 'vitest';

import { isRemoteName, parseRemote } from '../../../src/config/remote-name.ts';

describe('a remote', () => {
  it.each(['vtep-b', 'vtep-b.example', 'VTEP-B.Example.', 'a_b.internal', '10.example', 'fe80'])(
    '"%s" is a host name, in lower case',
    (text) => {
      const name = text.toLowerCase().replace(/\.$/, '');
      expect(parseRemote(text)).toEqual({ name, text: name });
    },
  );

  it.each(['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'])('"%s" is an address', (text) => {
    const remote = parseRemote(text);
    if ('refused' in remote) throw new Error(remote.refused);
    expect(isRemoteName(remote)).toBe(false);
  });

  it.each([
    '',
    '192.0.2',
    '192.0.2.1.2',
    'host:4789',
    'a b',
    '-x',
    'x-',
    'a..b',
    'http://x',
    'é',
    `${'a'.repeat(64)}.example`,
    `${'abc.'.repeat(63)}toolong`,
  ])('"%s" is neither', (text) => {
    expect(parseRemote(text)).toHaveProperty('refused');
  });
});
