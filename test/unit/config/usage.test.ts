import { describe, expect, it } from 'vitest';
import { GLOBAL_SHAPE, TUNNEL_SHAPE } from '../../../src/config/schema.ts';
import { DAEMON_OPTIONS, HELP_AFTER } from '../../../src/config/usage.ts';

describe('DAEMON_OPTIONS', () => {
  it('set keys that the schema has, but for the words of their own', () => {
    for (const { key, ofTunnel } of DAEMON_OPTIONS) {
      if (['name', 'config', 'version'].includes(key)) continue;
      expect(Object.keys(ofTunnel ? TUNNEL_SHAPE : GLOBAL_SHAPE)).toContain(key);
    }
  });

  it('repeat exactly where the schema has lists', () => {
    for (const { key, kind, ofTunnel } of DAEMON_OPTIONS) {
      if (!ofTunnel || !(key in TUNNEL_SHAPE)) continue;
      expect(kind === 'repeats').toBe(TUNNEL_SHAPE[key as keyof typeof TUNNEL_SHAPE].many);
    }
  });
});

describe('HELP_AFTER', () => {
  it('uses only options that exist', () => {
    const names = DAEMON_OPTIONS.map(({ name }) => name);
    const used = HELP_AFTER.match(/ --[a-z-]+/g)!.map((option) => option.trim());
    expect(used.length).toBeGreaterThan(5);
    expect(names).toEqual(expect.arrayContaining(used));
  });

  it('names the device under a kernel tunnel, from which the kernel takes its MTU', () => {
    expect(HELP_AFTER).toContain('type vxlan id 42 dev eth0 ');
    for (const line of HELP_AFTER.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
