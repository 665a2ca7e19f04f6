import { describe, expect, it } from 'vitest';

import type { SafetyConfig } from '../../../src/config/safety.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { applySafety, safetyFlags } from '../../../src/daemon/tunnel-safety.ts';
import { FRAME_TOKENS, POLICE_MULTICAST, POLICE_RECEIVE } from '../../../src/dataplane/policers.ts';
import {
  TUNNEL_ANY_SENDER,
  TUNNEL_KNOWN_ONLY,
  TUNNEL_POLICE_RECEIVE,
  TUNNEL_POLICE_TRANSMIT,
} from '../../../src/dataplane/tunnel-table.ts';
import { DataPath } from '../../support/data-path.ts';

function safetyOf(settings: string): SafetyConfig {
  return loadConfig(`tunnels: { v: { id: 7, ${settings} } }`, 'f').tunnels[0]!.safety;
}

describe('safetyFlags()', () => {
  it('sets nothing that costs a frame anything by default', () => {
    expect(safetyFlags(safetyOf('mtu: 1450'))).toBe(0);
  });

  it.each([
    ['storm-unknown: 1', TUNNEL_POLICE_TRANSMIT],
    ['rate-transmit: 1M', TUNNEL_POLICE_TRANSMIT],
    ['rate-receive: 1M', TUNNEL_POLICE_RECEIVE],
    ['flood-unknown: false', TUNNEL_KNOWN_ONLY],
    ['remotes: any', TUNNEL_ANY_SENDER],
  ])('says %s', (settings, flag) => {
    expect(safetyFlags(safetyOf(settings))).toBe(flag);
  });
});

describe('applySafety()', () => {
  it('gives storm limits a burst of a second and rates one of at least two super-frames', () => {
    const { tables } = new DataPath();
    applySafety(tables, 0, safetyOf('storm-multicast: 7, rate-receive: 64k, limit: 1'));
    const { policers, limits } = tables;
    const frames = Array.from({ length: 20 }, () => {
      return policers.take(0, POLICE_MULTICAST, FRAME_TOKENS);
    });
    expect(frames.filter(Boolean)).toHaveLength(7);
    expect(policers.take(0, POLICE_RECEIVE, 2 * 65_536 * 8)).toBe(true);
    expect(policers.take(0, POLICE_RECEIVE, 1)).toBe(false);
    const row = tables.remotes.acquire({
      tunnel: 0,
      address: new Uint8Array(16),
      scope: 0,
      port: 1,
      vni: 1,
    });
    limits.add(row);
    expect(limits.isFull(row)).toBe(true);
  });
});
