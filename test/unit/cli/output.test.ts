import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatJson, formatRow } from '../../../src/cli/output.ts';

const ROW = {
  mac: '52:54:00:3f:e6:43',
  ifname: 'vx42',
  dst: '192.168.120.20',
  flags: ['self'],
  state: 'permanent',
} as const;

describe('formatRow()', () => {
  it("prints bridge's form, with the device unless it is named", () => {
    expect(formatRow(ROW, false)).toBe(
      '52:54:00:3f:e6:43 dev vx42 dst 192.168.120.20 self permanent',
    );
    expect(formatRow(ROW, true)).toBe('52:54:00:3f:e6:43 dst 192.168.120.20 self permanent');
    expect(formatRow({ ...ROW, state: '' }, true)).toBe(
      '52:54:00:3f:e6:43 dst 192.168.120.20 self ',
    );
  });

  it('prints port, vni, via and statistics where they are', () => {
    const row = { ...ROW, port: 4790, vni: 43, viaIf: 'eth0', used: 3, updated: 5, frames: 7 };
    expect(formatRow(row, true)).toBe(
      '52:54:00:3f:e6:43 dst 192.168.120.20 port 4790 vni 43 via eth0 used 3/5 frames 7 self permanent',
    );
  });
});

describe('formatJson()', () => {
  it('prints one line, or many', () => {
    expect(formatJson({ a: 1 }, false)).toBe('{"a":1}\n');
    expect(formatJson({ a: 1 }, true)).toBe('{\n    "a": 1\n}\n');
  });
});

describe('formatBytes()', () => {
  it('uses binary units', () => {
    expect(formatBytes(0)).toBe('0 B');
    expect(formatBytes(1023)).toBe('1023 B');
    expect(formatBytes(1536)).toBe('1.50 KiB');
    expect(formatBytes(5 * 2 ** 40)).toBe('5.00 TiB');
    expect(formatBytes(2 ** 63)).toBe('8192.00 PiB');
  });
});

describe('formatDuration()', () => {
  it('prints the two largest units', () => {
    expect(formatDuration(0)).toBe('0 s');
    expect(formatDuration(59.9)).toBe('59 s');
    expect(formatDuration(3600)).toBe('1 h');
    expect(formatDuration(3661)).toBe('1 h 1 min');
    expect(formatDuration(90_061)).toBe('1 d 1 h');
  });
});
