import { beforeEach, expect, it } from 'vitest';

import { SILENT } from '../../../src/base/log.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { OpenTunnel } from '../../../src/daemon/open-tunnel.ts';
import { SafetyWatch } from '../../../src/daemon/safety-watch.ts';
import { applySafety } from '../../../src/daemon/tunnel-safety.ts';
import { COUNTER_LIMITED } from '../../../src/dataplane/counters.ts';
import { DROP_STORM_UNKNOWN } from '../../../src/dataplane/drop-reasons.ts';
import { DataPath, VNI } from '../../support/data-path.ts';

const SETTINGS = 'mac-moves: 1, mac-freeze: 10, remote-limit: 1, limit: 0';
const config = loadConfig(`tunnels: { v: { id: ${VNI}, ${SETTINGS} } }`, 'f').tunnels[0]!;
const tunnel = { info: { index: 0, name: 'v', vni: VNI }, config } as OpenTunnel;

let path: DataPath;
let watch: SafetyWatch;
let told: [string, Record<string, unknown>][];

beforeEach(() => {
  path = new DataPath();
  told = [];
  const note = (event: string, fields = {}) => void told.push([event, fields]);
  watch = new SafetyWatch(path.tables, { ...SILENT, warn: note, info: note });
  applySafety(path.tables, 0, config.safety);
});

const look = (second: number): string[] => {
  told = [];
  watch.look([tunnel], second);
  return told.map(([event]) => event);
};

it('SafetyWatch tells once of a frozen MAC, and of its release', () => {
  const [a, b] = [path.remote('192.0.2.1'), path.remote('192.0.2.2')];
  path.tables.fdb.learn(VNI, 0x0200, 1, a, 1);
  expect(look(1)).toEqual([]);
  path.tables.fdb.learn(VNI, 0x0200, 1, b, 2);
  expect(look(2)).toEqual(['mac frozen']);
  expect(told[0]![1]).toMatchObject({ dev: 'v', mac: '02:00:00:00:00:01', dst: '192.0.2.2' });
  expect(look(3)).toEqual([]);
  expect(look(12)).toEqual(['mac released']);
  expect(look(13)).toEqual([]);
});

it('SafetyWatch names a few frozen MACs a minute, however many there are', () => {
  const [a, b] = [path.remote('192.0.2.1'), path.remote('192.0.2.2')];
  for (let low = 1; low <= 30; low += 1) {
    path.tables.limits.setLimit(0, { tunnel: 0, remote: 0 });
    path.tables.fdb.learn(VNI, 0x0200, low, a, 1);
    path.tables.fdb.learn(VNI, 0x0200, low, b, 1);
  }
  const events = look(1);
  expect(events.filter((event) => event === 'mac frozen')).toHaveLength(10);
  expect(events.slice(10)).toEqual(['more macs frozen']);
});

it('SafetyWatch tells of a learning limit at most once a minute, while it matters', () => {
  const remote = path.remote('192.0.2.1');
  path.tables.fdb.learn(VNI, 0x0200, 1, remote, 1);
  expect(look(1)).toEqual([]);
  const { counters } = path.tables;
  counters.increment(0, 0, COUNTER_LIMITED);
  expect(look(2)).toEqual(['learning limit reached']);
  expect(told[0]![1]).toMatchObject({ dev: 'v', learned: 1, remotes: ['192.0.2.1'] });
  counters.increment(0, 0, COUNTER_LIMITED);
  expect(look(3)).toEqual([]);
  expect(look(90)).toEqual([]);
  counters.increment(0, 0, COUNTER_LIMITED);
  expect(look(91)).toEqual(['learning limit reached']);
});

it('SafetyWatch tells of storms', () => {
  path.tables.counters.drop(0, 0, DROP_STORM_UNKNOWN, 3);
  expect(look(1)).toEqual(['storm control drops frames']);
  expect(told[0]![1]).toMatchObject({ dev: 'v', storm_unknown: 3 });
});
