import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../../src/config/load.ts';

function tunnelOf(remotes: string) {
  const { remotes: list, safety } = loadConfig(`tunnels: { v: { id: 7, ${remotes} } }`, 'f')
    .tunnels[0]!;
  return { any: safety.anyRemote, remotes: list.map(({ text }) => text) };
}

describe('"any" among the remotes', () => {
  it('is no address, alone or beside some', () => {
    expect(tunnelOf('remotes: any')).toEqual({ any: true, remotes: [] });
    expect(tunnelOf('remote: [any]')).toEqual({ any: true, remotes: [] });
    expect(tunnelOf('remotes: [Any]')).toEqual({ any: true, remotes: [] });
    expect(tunnelOf('remotes: [192.0.2.1, any]')).toEqual({ any: true, remotes: ['192.0.2.1'] });
  });

  it('is missing as a rule', () => {
    expect(tunnelOf('remotes: [192.0.2.1]').any).toBe(false);
    expect(tunnelOf('local: 192.0.2.1').any).toBe(false);
    expect(tunnelOf('remotes: [any.example]')).toEqual({ any: false, remotes: [] });
  });
});
