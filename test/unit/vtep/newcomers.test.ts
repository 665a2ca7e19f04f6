import { beforeEach, describe, expect, it } from 'vitest';

import { Strangers } from '../../../src/dataplane/strangers.ts';
import { LearnLimits } from '../../../src/fdb/learn-limits.ts';
import { Newcomers, NEWCOMERS_MAX } from '../../../src/vtep/newcomers.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { A, FdbFixture, VX42 } from './fdb-fixture.ts';

let fixture: FdbFixture;
let strangers: Strangers;
let limits: LearnLimits;
let newcomers: Newcomers;

function open(remotes = 256): void {
  fixture = new FdbFixture(1024, remotes);
  strangers = new Strangers(3);
  limits = new LearnLimits(3, fixture.tables.remotes);
  newcomers = new Newcomers(fixture.verbs.context, strangers, limits);
  newcomers.open(VX42, 0);
}

beforeEach(() => open());

/** A frame of a stranger, and what the main thread makes of it. */
function hear(address: string): boolean {
  strangers.note(0, parseIp(address)!, 0);
  return newcomers.admit() > 0;
}

describe('Newcomers', () => {
  it('makes a stranger a sender, once', () => {
    expect(fixture.sender(0, A)).toBe(-1);
    expect(hear(A)).toBe(true);
    expect(fixture.sender(0, A)).toBeGreaterThanOrEqual(0);
    expect(fixture.sender(1, A), 'of this tunnel only').toBe(-1);
    expect(hear(A)).toBe(false);
  });

  it('takes no address that nobody can send from', () => {
    for (const address of ['0.0.0.0', '::', '127.0.0.1', '224.0.0.9', 'ff02::1', '255.255.255.255'])
      expect(hear(address), address).toBe(false);
    expect(hear('2001:db8::1')).toBe(true);
  });

  it('forgets whom nothing is learned of, at the second look', async () => {
    hear(A);
    const row = fixture.sender(0, A);
    limits.add(row);
    for (let look = 0; look < 3; look += 1) newcomers.forgetSilent();
    expect(fixture.sender(0, A)).toBe(row);
    limits.remove(row);
    newcomers.forgetSilent();
    expect(fixture.sender(0, A)).toBe(row);
    newcomers.forgetSilent();
    expect(fixture.sender(0, A)).toBe(-1);
    expect(await fixture.liveRemotes(), 'everybody is left').toBe(1);
  });

  it('knows no more than it may', () => {
    open(4096);
    const address = (index: number): string => `10.0.${index >> 8}.${index & 255}`;
    for (let index = 0; index < NEWCOMERS_MAX; index += 1) expect(hear(address(index))).toBe(true);
    expect(hear('10.9.9.9')).toBe(false);
  });

  it('gives everything back when the tunnel closes', async () => {
    hear(A);
    expect(newcomers.active).toBe(true);
    newcomers.close(0);
    expect(newcomers.active).toBe(false);
    expect(await fixture.liveRemotes()).toBe(0);
    expect(strangers.note(0, parseIp(A)!, 0)).toBe(-1);
  });
});
