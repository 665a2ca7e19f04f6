import { beforeEach, expect, it } from 'vitest';
import { SILENT, type Logger } from '../../../src/base/log.ts';
import type { OpenTunnel } from '../../../src/daemon/open-tunnel.ts';
import { TunnelWatch } from '../../../src/daemon/tunnel-watch.ts';
import { COUNTER_NOT_LEARNED } from '../../../src/dataplane/counters.ts';
import { DROP_MTU, DROP_OWN_MAC } from '../../../src/dataplane/drop-reasons.ts';
import { linkByName } from '../../../src/linux/netlink-link.ts';
import { DataPath } from '../../support/data-path.ts';

let path: DataPath;
let watch: TunnelWatch;
let events: string[];

/** The loopback device stands in for a TAP: it has an index, an MTU and a MAC of zeros. */
const tunnel = { info: { index: 0, name: 'lo', ifindex: linkByName('lo')!.index } } as OpenTunnel;

beforeEach(() => {
  path = new DataPath();
  events = [];
  const log: Logger = { ...SILENT, warn: (event) => void events.push(event) };
  watch = new TunnelWatch(path.tables, log);
});

it('TunnelWatch says nothing of a tunnel that is well', () => {
  watch.look(tunnel, undefined);
  expect(events).toEqual([]);
});

it('TunnelWatch follows MAC and MTU of the device', () => {
  watch.look(tunnel, linkByName('lo'));
  expect(path.tables.tunnels.mtu(0)).toBe(linkByName('lo')!.mtu);
  expect(path.tables.tunnels.isOwnMac(0, 0, 0)).toBe(true);
});

it('TunnelWatch tells each trouble once', () => {
  const { counters, tunnels } = path.tables;
  counters.drop(0, 0, DROP_OWN_MAC, 1);
  counters.drop(0, 0, DROP_MTU, 1);
  counters.increment(0, 0, COUNTER_NOT_LEARNED);
  tunnels.failSegmentation(0);
  tunnels.failCoalescing(0);
  watch.look(tunnel, undefined);
  watch.look(tunnel, undefined);
  expect(events.sort()).toEqual([
    'coalescing switched off',
    'fdb full',
    'frames larger than the path',
    'own mac heard from a remote',
    'udp segmentation switched off',
  ]);
});
