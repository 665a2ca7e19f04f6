import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LinkMonitor } from '../../../src/linux/link-monitor.ts';
import { resolveInterface } from '../../../src/linux/netlink-link.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

describeIf({ root: true, tun: true, commands: ['ip'] }, 'LinkMonitor', () => {
  let monitor: LinkMonitor;
  beforeEach(() => {
    monitor = new LinkMonitor();
  });
  afterEach(() => monitor.close());

  it('tells of interfaces that are made and changed, once', () => {
    const name = uniqueName();
    ip('tuntap', 'add', name, 'mode', 'tap');
    try {
      const index = resolveInterface(name);
      ip('link', 'set', name, 'mtu', '1400');
      expect(monitor.changes().get(index)).toMatchObject({ name, mtu: 1400 });
      expect(monitor.changes().get(index)).toBeUndefined();
      ip('link', 'set', name, 'address', '02:00:00:00:00:07');
      expect(monitor.changes().get(index)?.mac).toEqual({ high: 0x200, low: 7 });
    } finally {
      deleteLink(name);
    }
    expect([...monitor.changes().values()].map((link) => link.name)).not.toContain(name);
  });

  it('lists all interfaces when it was told more than it could hold', () => {
    const name = uniqueName();
    const folder = mkdtempSync(join(tmpdir(), 'vt-monitor-'));
    ip('tuntap', 'add', name, 'mode', 'tap');
    try {
      const lines: string[] = [];
      for (let i = 0; i < 1_000; i += 1) lines.push(`link set ${name} mtu ${1000 + (i % 2)}`);
      const file = join(folder, 'batch');
      writeFileSync(file, `${lines.join('\n')}\n`);
      ip('-batch', file);
      expect(monitor.changes().get(resolveInterface('lo'))?.name).toBe('lo');
      expect(monitor.changes().size).toBe(0);
    } finally {
      deleteLink(name);
      rmSync(folder, { recursive: true });
    }
  });
});
