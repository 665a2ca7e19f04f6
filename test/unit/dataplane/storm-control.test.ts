import { beforeEach, describe, expect, it } from 'vitest';

import {
  FRAME_TOKENS,
  POLICE_BROADCAST,
  POLICE_MULTICAST,
  POLICE_TRANSMIT,
  POLICE_UNKNOWN,
} from '../../../src/dataplane/policers.ts';
import { TUNNEL_KNOWN_ONLY, TUNNEL_POLICE_TRANSMIT } from '../../../src/dataplane/tunnel-table.ts';
import { DataPath, VNI } from '../../support/data-path.ts';
import { udpFrame } from '../../support/frames.ts';

const SOURCE = '02:00:00:00:00:01';
const KNOWN = '02:00:00:00:00:02';
const UNKNOWN = '02:00:00:00:00:03';
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const GROUP = '01:00:5e:00:00:09';

let path: DataPath;

beforeEach(() => {
  path = new DataPath();
  const remotes = [path.remote('192.0.2.1'), path.remote('192.0.2.2')];
  path.flood(remotes);
  path.entry(KNOWN, remotes[0]!);
  path.tunnel(0, VNI, { flags: TUNNEL_POLICE_TRANSMIT });
});

/** Sends eight frames to a MAC; returns how many datagrams left. */
function send(destination: string): number {
  const before = path.sender.datagrams.length;
  const frames = Array.from({ length: 8 }, () => ({ frame: udpFrame(SOURCE, destination, 'x') }));
  path.transmit(frames);
  return path.sender.datagrams.length - before;
}

describe('storm control', () => {
  it('limits each kind of frame by itself, before replication', () => {
    const limits = [
      [POLICE_BROADCAST, 2],
      [POLICE_MULTICAST, 3],
      [POLICE_UNKNOWN, 4],
    ] as const;
    for (const [kind, frames] of limits) {
      path.tables.policers.configure(0, kind, frames, frames * FRAME_TOKENS);
    }
    // Two remotes: each frame leaves twice.
    expect([send(BROADCAST), send(GROUP), send(UNKNOWN), send(KNOWN)]).toEqual([4, 6, 8, 8]);
    expect(path.drops()).toEqual({ storm_broadcast: 6, storm_multicast: 5, storm_unknown: 4 });
    path.nowMs += 1000;
    expect([send(BROADCAST), send(GROUP), send(UNKNOWN)]).toEqual([4, 6, 8]);
  });

  it('does nothing where no limit is set', () => {
    expect([send(BROADCAST), send(GROUP), send(UNKNOWN), send(KNOWN)]).toEqual([16, 16, 16, 8]);
    expect(path.drops()).toEqual({});
  });

  it('polices the bit rate of all frames', () => {
    const bits = udpFrame(SOURCE, KNOWN, 'x').length * 8;
    path.tables.policers.configure(0, POLICE_TRANSMIT, bits, 3 * bits);
    expect(send(KNOWN)).toBe(3);
    expect(path.drops()).toEqual({ rate_transmit: 5 });
    path.nowMs += 2;
    expect(send(BROADCAST)).toBe(4);
  });
});

describe('flood-unknown: false', () => {
  it('drops unicast to unknown MACs, and nothing else', () => {
    path.tunnel(0, VNI, { flags: TUNNEL_KNOWN_ONLY });
    expect([send(BROADCAST), send(GROUP), send(UNKNOWN), send(KNOWN)]).toEqual([16, 16, 0, 8]);
    expect(path.drops()).toEqual({ unknown_unicast: 8 });
  });
});
