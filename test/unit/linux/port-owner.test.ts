import { describe, expect, test } from 'vitest';
import { parseLocal } from '../../../src/linux/port-owner.ts';
import { formatIp } from '../../../src/wire/ip.ts';

function local(text: string): string | undefined {
  const parsed = parseLocal(text);
  return parsed === undefined ? undefined : `${formatIp(parsed.address)} ${parsed.port}`;
}

describe('parseLocal()', () => {
  test('reads addresses of both families as /proc/net/udp writes them', () => {
    expect(local('0100007F:12B5')).toBe('127.0.0.1 4789');
    expect(local('00000000:0035')).toBe('0.0.0.0 53');
    expect(local('B80D01200000000000000000010000FF:FFFF')).toBe('2001:db8::ff00:1 65535');
  });

  test('answers undefined for anything else', () => {
    for (const text of ['', ':', 'local_address', '0100:12B5']) expect(local(text)).toBeUndefined();
  });
});
