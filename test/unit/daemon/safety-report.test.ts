import { expect, it } from 'vitest';

import { loadConfig } from '../../../src/config/load.ts';
import type { OpenTunnel } from '../../../src/daemon/open-tunnel.ts';
import { safetyReport } from '../../../src/daemon/safety-report.ts';
import { COUNTER_LIMITED, COUNTER_MOVED } from '../../../src/dataplane/counters.ts';
import { DataPath } from '../../support/data-path.ts';

it('safetyReport() says what is set, and how often it mattered', () => {
  const { tables } = new DataPath();
  const settings = 'id: 7, limit: 9, storm-unknown: 5, rate-transmit: 1.5M, remotes: any';
  const config = loadConfig(`tunnels: { v: { ${settings} } }`, 'f').tunnels[0]!;
  tables.counters.increment(0, 0, COUNTER_LIMITED);
  tables.counters.increment(0, 0, COUNTER_MOVED);
  expect(safetyReport(tables, { info: { index: 0 }, config } as OpenTunnel)).toEqual({
    limit: 9,
    remoteLimit: 16_384,
    notLearned: 1,
    moved: 1,
    macMoves: 5,
    macMoveWindow: 180,
    macFreeze: 600,
    anyRemote: true,
    floodUnknown: true,
    stormUnknown: 5,
    rateTransmit: 1_500_000,
  });
});
