import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../../src/config/load.ts';
import type { SafetyConfig } from '../../../src/config/safety.ts';

function safetyOf(settings: string): SafetyConfig {
  return loadConfig(`tunnels: { vx7: { id: 7, ${settings} } }`, 'f').tunnels[0]!.safety;
}

describe('the safety keys', () => {
  it('are read', () => {
    const settings =
      'limit: 100, remote-limit: 0, flood-unknown: false, storm-broadcast: 1000, storm-unknown: 5, ' +
      'rate-transmit: 1.5G, rate-receive: 640000, mac-moves: 3, mac-move-window: 10, mac-freeze: 0';
    expect(safetyOf(settings)).toEqual({
      limit: 100,
      remoteLimit: 0,
      floodUnknown: false,
      anyRemote: false,
      storm: { broadcast: 1000, multicast: undefined, unknown: 5 },
      rate: { transmit: 1_500_000, receive: 640 },
      macMoves: 3,
      macMoveWindowSeconds: 10,
      macFreezeSeconds: 0,
    });
    expect(safetyOf('mac-limit: 5').limit).toBe(5);
  });

  it.each([
    ['limit: -1', '0 to 1048576'],
    ['storm-broadcast: 0', '1 to 2000000'],
    ['rate-transmit: fast', '"fast" is not a bit rate; allowed: bits per second from 64k to 100G'],
    ['rate-transmit: 100m', 'is not a bit rate'],
    ['rate-receive: 1k', 'is out of range'],
    ['rate-receive: [1M]', 'a list is not a bit rate'],
    ['mac-move-window: 0', '1 to 86400'],
  ])('refuse %s', (settings, message) => {
    expect(() => safetyOf(settings)).toThrow(message);
  });
});
