import { describe, expect, it } from 'vitest';

import { RemoteRows, STRANGER } from '../../../src/fdb/remote-rows.ts';
import { RemoteTable } from '../../../src/fdb/remotes.ts';
import { formatIp, parseIp } from '../../../src/wire/ip.ts';

describe('RemoteRows', () => {
  it('reads in another object over the same memory what the table wrote', () => {
    const table = RemoteTable.create(8);
    const rows = new RemoteRows(table.memory);
    const address = parseIp('fe80::aabb:1')!;
    const six = table.acquire({ tunnel: 2, address, scope: 5, port: 65_535, vni: 0xff_ffff });
    const four = table.acquire({
      tunnel: 0,
      address: parseIp('10.0.0.1')!,
      scope: 0,
      port: 1,
      vni: 1,
    });
    expect([rows.tunnel(six), rows.scope(six), rows.port(six)]).toEqual([2, 5, 65_535]);
    expect([rows.vni(six), rows.family(six), rows.family(four)]).toEqual([0xff_ffff, 6, 4]);
    expect(formatIp(rows.bytes, rows.addressOffset(six))).toBe('fe80::aabb:1');
    expect(formatIp(rows.bytes, rows.addressOffset(four))).toBe('10.0.0.1');
    expect(rows.generation(six)).toBeGreaterThan(0);
    expect(rows.generation(7)).toBe(0);
  });

  it('finds a thousand senders at any offset, by tunnel and address', () => {
    const table = RemoteTable.create(2000);
    const rows = new RemoteRows(table.memory);
    const indices = Array.from({ length: 1000 }, (_, i) => {
      const address = parseIp(`10.0.${i >> 8}.${i & 255}`)!;
      const index = table.acquire({ tunnel: i % 3, address, scope: 0, port: 4789, vni: 1 });
      table.allow(index);
      return index;
    });
    const bytes = new Uint8Array(100);
    indices.forEach((index, i) => {
      const offset = i % 80;
      bytes.set(parseIp(`10.0.${i >> 8}.${i & 255}`)!, offset);
      expect(rows.findSender(i % 3, bytes, offset)).toBe(index);
      expect(rows.findSender((i + 1) % 3, bytes, offset)).toBe(STRANGER);
      bytes[offset] = 1;
      expect(rows.findSender(i % 3, bytes, offset)).toBe(STRANGER);
    });
  });

  it('refuses memory that is not a table of remotes', () => {
    expect(() => new RemoteRows(new SharedArrayBuffer(4096))).toThrow('Not the memory');
  });
});
