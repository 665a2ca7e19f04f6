import { describe, expect, test } from 'vitest';
import {
  SOCKADDR_LENGTH_MAX,
  readSockaddr,
  sockaddrFamily,
  sockaddrPort,
  sockaddrScope,
  writeSockaddr,
} from '../../../src/linux/sockaddr.ts';
import { parseIp } from '../../../src/wire/ip.ts';

/** A slot at an odd place between bytes that must stay as they are. */
function filledView(): DataView {
  return new DataView(new Uint8Array(SOCKADDR_LENGTH_MAX + 8).fill(0xa5).buffer);
}

function hex(view: DataView, offset: number, length: number): string {
  return Buffer.from(view.buffer, offset, length).toString('hex');
}

describe('sockaddr', () => {
  test('writes every byte of an IPv4 address and nothing behind it', () => {
    const view = filledView();
    const address = parseIp('192.0.2.7')!;
    expect(writeSockaddr(view, 4, 4, address, 0, 4789, 0)).toBe(16);
    expect(hex(view, 4, 16)).toBe('020012b5c00002070000000000000000');
    expect(hex(view, 0, 4)).toBe('a5a5a5a5');
    expect(hex(view, 20, 16)).toBe('a5'.repeat(16));
  });

  test('writes every byte of an IPv6 address with its scope', () => {
    const view = filledView();
    const table = new Uint8Array(32);
    table.set(parseIp('fe80::1:2')!, 16);
    expect(writeSockaddr(view, 4, 6, table, 16, 65535, 3)).toBe(28);
    expect(hex(view, 4, 28)).toBe(
      '0a00ffff00000000' + 'fe800000000000000000000000010002' + '03000000',
    );
    expect(hex(view, 32, 4)).toBe('a5a5a5a5');
  });

  test.each(['192.0.2.7', '2001:db8::42', '::', '0.0.0.0'])('reads back %s', (text) => {
    const address = parseIp(text)!;
    const family = text.includes(':') ? 6 : 4;
    const view = filledView();
    writeSockaddr(view, 0, family, address, 0, 49152, family === 6 ? 9 : 0);
    const bytes = new Uint8Array(20).fill(0xa5);
    readSockaddr(view, 0, bytes, 2);
    expect(bytes.subarray(2, 18)).toEqual(address);
    expect([bytes[1], bytes[18]]).toEqual([0xa5, 0xa5]);
    expect(sockaddrFamily(view, 0)).toBe(family);
    expect(sockaddrPort(view, 0)).toBe(49152);
    expect(sockaddrScope(view, 0)).toBe(family === 6 ? 9 : 0);
  });

  test('reads another family as the unspecified address', () => {
    const view = filledView();
    view.setUint16(0, 1, true);
    const bytes = new Uint8Array(16).fill(0xa5);
    readSockaddr(view, 0, bytes, 0);
    expect(bytes).toEqual(new Uint8Array(16));
    expect(sockaddrFamily(view, 0)).toBe(0);
    expect(sockaddrScope(view, 0)).toBe(0);
  });
});
