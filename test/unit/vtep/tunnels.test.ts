import { describe, expect, it } from 'vitest';
import type { TunnelInfo } from '../../../src/vtep/tunnel-directory.ts';
import { Tunnels } from '../../../src/vtep/tunnels.ts';

function tunnel(index: number): TunnelInfo {
  return {
    index,
    name: `vx${index}`,
    vni: 100 + index,
    port: 4789,
    ifindex: 7 + index,
    family4: true,
    family6: false,
    ageingSeconds: 300,
  };
}

describe('Tunnels', () => {
  it('finds a tunnel by whatever names it', () => {
    const tunnels = new Tunnels(4);
    const added = tunnel(2);
    tunnels.add(added);
    expect(tunnels.byIndex(2)).toBe(added);
    expect(tunnels.byName('vx2')).toBe(added);
    expect(tunnels.byVni(102)).toBe(added);
    expect(tunnels.all()).toEqual([added]);
  });

  it('forgets a removed tunnel and gives its index out again', () => {
    const tunnels = new Tunnels(2);
    tunnels.add(tunnel(0));
    tunnels.add(tunnel(1));
    tunnels.remove(tunnel(0));
    expect(tunnels.byName('vx0')).toBeUndefined();
    expect(tunnels.byVni(100)).toBeUndefined();
    expect(tunnels.freeIndex()).toBe(0);
  });

  it('refuses more tunnels than the table holds', () => {
    const tunnels = new Tunnels(1);
    tunnels.add(tunnel(0));
    expect(() => tunnels.freeIndex()).toThrow('more than 1 tunnels');
  });
});
