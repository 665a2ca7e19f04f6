import { describe, expect, it } from 'vitest';

import {
  COUNTER_DROPS,
  COUNTER_LEARNED,
  COUNTER_NEIGH_ANSWERED,
  COUNTER_NEIGH_LEARNED,
  COUNTER_NOT_LEARNED,
  COUNTER_RX_PACKETS,
  COUNTER_TX_PACKETS,
} from '../../src/dataplane/counters.ts';
import { DROP_REASON_COUNT } from '../../src/dataplane/drop-reasons.ts';
import { INHERIT_DF, INHERIT_TOS, INHERIT_TTL } from '../../src/dataplane/outer-table.ts';
import { INHERIT_FLOW_LABEL } from '../../src/dataplane/outer-table.ts';
import {
  TUNNEL_COALESCE,
  TUNNEL_LEARNING,
  TUNNEL_NEIGH_SUPPRESS,
  TUNNEL_SEGMENTS,
} from '../../src/dataplane/tunnel-table.ts';
import { VLAN_STRIP } from '../../src/dataplane/vlan-table.ts';
import {
  DataPath,
  mappedAddress,
  NO_TUNNEL_ROW,
  NOW_SECONDS,
  OWN_MAC,
  VNI,
} from '../support/data-path.ts';
import { Hostile } from '../support/mutations.ts';
import { concat } from '../support/packets.ts';

const FLAGS = TUNNEL_LEARNING | TUNNEL_COALESCE | TUNNEL_SEGMENTS | TUNNEL_NEIGH_SUPPRESS;
const INHERIT = INHERIT_TTL | INHERIT_TOS | INHERIT_FLOW_LABEL | INHERIT_DF;
const REMOTE = '192.0.2.1';
const STRANGER = '192.0.2.99';
const BATCH = 8;
const BATCHES = 4000;
const TUNNELS = [0, 1, 2, NO_TUNNEL_ROW];
const VNIS = [VNI, 50, 1010];

/** Tunnel 0 with everything on; tunnel 1 strips tags, and VLAN 10 of its device is tunnel 2. */
function everythingOn(): DataPath {
  const path = new DataPath({ fdbEntries: 1024, messages: 64, deliveries: 8 });
  const { tables } = path;
  VNIS.forEach((vni, tunnel) => {
    path.tunnel(tunnel, vni, { flags: FLAGS });
    tables.tunnels.setMssLimits(tunnel, 536, 516);
    const row = { ttl: 0, tos: 0, flowLabel: 0, reservedFirst: 0, reservedSecond: 0 };
    tables.tunnels.outer.write(tunnel, { ...row, inherit: INHERIT });
    path.transmitter.lanes4WithoutDf[tunnel] = 0;
    const remote = path.remote(REMOTE, { tunnel, vni });
    path.flood([remote], vni);
    for (const text of ['10.0.0.2', 'fd00::2']) {
      const key = { tunnel, address: mappedAddress(text), confirmedSeconds: 1 };
      tables.neighbours.set({ ...key, macHigh: 0x0200, macLow: 0x0b, flags: 1 });
    }
  });
  tables.vlans.set(1, VLAN_STRIP, 0);
  tables.vlans.set(2, VLAN_STRIP, 10);
  expect(tables.vlans.setTrunk(1, [10], [2])).toBe(true);
  return path;
}

function sum(path: DataPath, column: number): number {
  return TUNNELS.reduce((total, tunnel) => total + path.counter(column, tunnel), 0);
}

function drops(path: DataPath): number {
  let total = 0;
  for (let reason = 0; reason < DROP_REASON_COUNT; reason += 1) {
    total += sum(path, COUNTER_DROPS + reason);
  }
  return total;
}

function hostile(seed: number): Hostile {
  return new Hostile({ vnis: VNIS, ownMacs: [OWN_MAC], seed });
}

describe('malformed input with every parser on', () => {
  it('is delivered or dropped for one reason, when it comes from a remote', () => {
    const path = everythingOn();
    const source = hostile(1);
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const before = drops(path) + sum(path, COUNTER_RX_PACKETS);
      const datagrams = Array.from({ length: BATCH }, () => source.datagram());
      const tos = source.below(4);
      path.receive(datagrams.map((bytes) => ({ bytes, source: REMOTE, tos })));
      const counted = drops(path) + sum(path, COUNTER_RX_PACKETS) - before;
      if (counted !== BATCH) expect.fail(`batch ${batch}: ${counted} of ${BATCH} counted`);
    }
    const delivered = path.writer.deliveries.reduce((total, { frames }) => total + frames, 0);
    expect(sum(path, COUNTER_RX_PACKETS)).toBe(delivered);
    expect(delivered).toBeGreaterThan(BATCHES);
  });

  it('is no worse when the kernel merged it', () => {
    const path = everythingOn();
    const source = hostile(2);
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const parts = Array.from({ length: 1 + source.below(4) }, () => source.datagram());
      const bytes = concat(...parts);
      const stride = source.below(4) === 0 ? source.below(300) : parts[0]!.length;
      const before = drops(path) + sum(path, COUNTER_RX_PACKETS);
      path.receive([{ bytes, source: REMOTE, stride }]);
      const counted = drops(path) + sum(path, COUNTER_RX_PACKETS) - before;
      const pieces = stride === 0 ? 1 : Math.max(1, Math.ceil(bytes.length / stride));
      if (counted !== 1 && counted !== pieces) {
        expect.fail(`batch ${batch}: ${counted} of ${pieces} counted`);
      }
    }
  });

  it('teaches nothing when it comes from a stranger, or when it is dropped', () => {
    const path = everythingOn();
    const source = hostile(3);
    const strict = { inherit: 0, ttl: 0, tos: 0, flowLabel: 0 };
    const expected: Record<string, number> = {};
    for (const tunnel of [0, 1, 2]) {
      const reserved = { reservedFirst: 0xf7ff_ffff | 0, reservedSecond: 0xff };
      path.tables.tunnels.outer.write(tunnel, { ...strict, ...reserved });
    }
    for (let index = 0; index < BATCHES; index += 1) {
      const known = ['short', 'no_i_flag', 'vni_unknown'];
      const strange = source.datagram();
      const fate = source.fate(strange, true);
      const bad = source.invalid();
      path.receive([{ bytes: strange, source: STRANGER }]);
      path.receive([{ bytes: bad, source: REMOTE }]);
      for (const reason of [known.includes(fate) ? fate : 'remote_denied', source.fate(bad, true)])
        expected[reason] = (expected[reason] ?? 0) + 1;
    }
    const found: Record<string, number> = {};
    for (const tunnel of TUNNELS) {
      for (const [reason, count] of Object.entries(path.drops(tunnel)))
        found[reason] = (found[reason] ?? 0) + count;
    }
    expect(found).toEqual(expected);
    expect(path.writer.deliveries).toEqual([]);
    for (const column of [COUNTER_LEARNED, COUNTER_NOT_LEARNED, COUNTER_NEIGH_LEARNED]) {
      expect(sum(path, column)).toBe(0);
    }
  });

  it('is sent, answered or dropped for one reason, when a device hands it over', () => {
    const path = everythingOn();
    const [narrow] = path.tables.remotes.list(0);
    path.tables.pathMtus.learn(narrow!, 600, NOW_SECONDS);
    const source = hostile(4);
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const counted = (): number =>
        drops(path) + sum(path, COUNTER_TX_PACKETS) + sum(path, COUNTER_NEIGH_ANSWERED);
      const before = counted();
      const frames = Array.from({ length: BATCH }, () => ({ frame: source.frame() }));
      path.transmit(frames, source.below(2));
      const now = counted() - before;
      if (now !== BATCH) expect.fail(`batch ${batch}: ${now} of ${BATCH} counted`);
    }
    expect(path.drops()['mtu']).toBeGreaterThan(0);
    expect(path.sender.datagrams).toHaveLength(sum(path, COUNTER_TX_PACKETS));
  });

  it('is sent or dropped, whatever the device says of checksums and segments', () => {
    const path = everythingOn();
    const source = hostile(5);
    const word = (): number => [0, 1, 14, 34, 54, 100, 1448, 65_535][source.below(8)]!;
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const gsoType = [0, 1, 3, 4, 5, 0x81, 0x84][source.below(7)]!;
      const vnet = { flags: source.below(4), gsoType, hdrLen: word(), gsoSize: word() };
      const rest = { csumStart: word(), csumOffset: [6, 16, word()][source.below(3)]! };
      const sent = path.sender.datagrams.length;
      const before = drops(path) + sum(path, COUNTER_NEIGH_ANSWERED);
      path.transmit([{ frame: source.frame(), vnet: { ...vnet, ...rest } }], source.below(2));
      const dead = drops(path) + sum(path, COUNTER_NEIGH_ANSWERED) - before;
      const left = path.sender.datagrams.length - sent;
      if ((left === 0) !== (dead === 1) || dead > 1) {
        expect.fail(`batch ${batch}: ${left} sent and ${dead} not`);
      }
      path.sender.messages.length = 0;
    }
  });
});
