import { expect, it } from 'vitest';

import type { SafetyReport } from '../../../src/api/protocol.ts';
import { formatSafety } from '../../../src/cli/safety.ts';

const OFF: SafetyReport = {
  limit: 0,
  remoteLimit: 9,
  notLearned: 2,
  moved: 3,
  macMoves: 0,
  macMoveWindow: 180,
  macFreeze: 600,
  anyRemote: false,
  floodUnknown: true,
};

it('formatSafety() leaves out what is off', () => {
  expect(formatSafety(OFF)).toEqual([
    '  limits: no limit learned, 9 per remote, 2 frames not learned from',
    '  moves: 3, never freezes',
  ]);
});

it('formatSafety() says all that is on', () => {
  const lines = formatSafety({
    ...OFF,
    macMoves: 5,
    macFreeze: 0,
    anyRemote: true,
    floodUnknown: false,
    stormBroadcast: 1000,
    stormUnknown: 5,
    rateTransmit: 1.5e9,
    rateReceive: 64_000,
  });
  expect(lines.slice(1)).toEqual([
    '  moves: 3, freezes until deleted after 5 in 180 s',
    '  storm control: broadcast 1000/s, unknown 5/s',
    '  rate: transmit 1.5 Gbit/s, receive 64 kbit/s',
    '  unknown unicast: dropped',
    '  remotes: any, everybody may send',
  ]);
});
