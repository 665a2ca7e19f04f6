import { beforeEach, describe, expect, it } from 'vitest';

import {
  COUNTER_LEARNED,
  COUNTER_LIMITED,
  COUNTER_MOVED,
} from '../../../src/dataplane/counters.ts';
import { POLICE_RECEIVE } from '../../../src/dataplane/policers.ts';
import { TUNNEL_LEARNING, TUNNEL_POLICE_RECEIVE } from '../../../src/dataplane/tunnel-table.ts';
import { DataPath, VNI } from '../../support/data-path.ts';
import { BROADCAST, udpFrame, vxlan } from '../../support/frames.ts';

const MAC = '02:00:00:00:00:99';
const A = '192.0.2.1';
const B = '192.0.2.2';

let path: DataPath;
let rows: Record<string, number>;

beforeEach(() => {
  path = new DataPath();
  rows = { [A]: path.remote(A), [B]: path.remote(B) };
});

function hear(source: string, mac = MAC): void {
  path.receive([{ bytes: vxlan(VNI, udpFrame(mac, BROADCAST, 'x')), source }]);
}

function place(mac = MAC): number {
  return path.tables.fdb.lookup(VNI, 0x0200, Number.parseInt(mac.slice(-2), 16));
}

describe('Learner', () => {
  it('drops and counts what comes from elsewhere once a MAC is frozen', () => {
    path.tables.moves.setLimit(0, 3, 180);
    for (const source of [A, B, A, B]) hear(source);
    expect(path.counter(COUNTER_MOVED)).toBe(3);
    expect(path.drops()).toEqual({});
    hear(A);
    hear(A);
    expect(path.drops()).toEqual({ mac_frozen: 2 });
    hear(B);
    expect(place()).toBe(rows[B]);
    expect(path.writer.deliveries).toHaveLength(5);
  });

  it('delivers what it may not learn, and counts it', () => {
    path.tables.limits.setLimit(0, { tunnel: 1, remote: 0 });
    hear(A);
    hear(A, '02:00:00:00:00:98');
    expect([path.counter(COUNTER_LEARNED), path.counter(COUNTER_LIMITED)]).toEqual([1, 1]);
    expect(place('02:00:00:00:00:98')).toBe(-1);
    expect(path.drops()).toEqual({});
    expect(path.writer.deliveries).toHaveLength(2);
  });

  it('learns nothing from a frame beyond the bit rate', () => {
    path.tunnel(0, VNI, { flags: TUNNEL_LEARNING | TUNNEL_POLICE_RECEIVE });
    const bits = udpFrame(MAC, BROADCAST, 'x').length * 8;
    path.tables.policers.configure(0, POLICE_RECEIVE, 1, bits);
    hear(A);
    hear(B);
    expect(place()).toBe(rows[A]);
    expect(path.drops()).toEqual({ rate_receive: 1 });
  });
});
