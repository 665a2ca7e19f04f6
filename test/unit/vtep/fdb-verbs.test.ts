import { describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/wire/ip.ts';
import { parseMac } from '../../../src/wire/mac.ts';
import { STATE_DYNAMIC } from '../../../src/fdb/table.ts';
import { FdbFixture, TUNNELS } from './fdb-fixture.ts';

const MAC = '52:54:00:3f:e6:43';
const OTHER = '52:54:00:3f:e6:44';
const ZERO = '00:00:00:00:00:00';
const GROUP = '01:00:5e:00:00:09';
const A = '192.168.120.20';
const B = '192.168.120.30';
const [VX42, VX43] = [TUNNELS[0]!, TUNNELS[1]!];

const entry = (mac: string, dst: string, more: object = {}) => ({ mac, dev: 'vx42', dst, ...more });
const failing = (code: string, index = 0) => expect.objectContaining({ code, index }) as Error;
const configured = (dst: string) => ({ address: parseIp(dst)!, scope: 0 });

describe('FdbVerbs add', () => {
  it('adds a permanent entry whose remote may send from then on', async () => {
    const fixture = new FdbFixture();
    expect(fixture.sender(0, A)).toBe(-1);
    await fixture.verbs.change('add', [entry(MAC, A)]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A} permanent`]);
    expect(fixture.sender(0, A)).toBeGreaterThanOrEqual(0);
    expect(fixture.sender(1, A)).toBe(-1);
  });

  it('refuses what exists, also with another destination or state, and changes nothing', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    for (const again of [entry(MAC, A), entry(MAC, B), entry(MAC, A, { state: 'dynamic' })]) {
      await expect(fixture.verbs.change('add', [again])).rejects.toThrow(failing('ERR_EXISTS'));
    }
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A} permanent`]);
    expect(fixture.sender(0, B)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('keeps the same MAC apart in different tunnels', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A), entry(MAC, B, { dev: 'vx43' })]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A} permanent`, `vx43 ${MAC} ${B} permanent`]);
  });

  it('replaces a learned entry by a static one, which learning cannot move', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A), configured(B)]);
    expect(fixture.learn(0, MAC, A)).toBe(true);
    await fixture.verbs.change('add', [entry(MAC, B, { state: 'static' })]);
    fixture.learn(0, MAC, A);
    expect(fixture.dump()).toContain(`vx42 ${MAC} ${B} static`);
  });

  it('refuses a dynamic entry over a learned one', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    fixture.learn(0, MAC, A);
    await expect(
      fixture.verbs.change('add', [entry(MAC, A, { state: 'dynamic' })]),
    ).rejects.toThrow(failing('ERR_EXISTS'));
  });

  it('takes port, vni and via, and shows them only where they differ from the tunnel', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [
      entry(MAC, A, { port: 4790, vni: 4200, srcVni: 42, via: 'eth0' }),
      entry(OTHER, A, { port: 4789, vni: 42 }),
    ]);
    expect(fixture.dump()).toEqual([
      `vx42 ${MAC} ${A} port=4790 vni=4200 eth0 permanent`,
      `vx42 ${OTHER} ${A} permanent`,
    ]);
  });

  it.each([
    [{ ...entry(MAC, A), dev: 'nope' }, 'ERR_NOT_FOUND', 'Cannot find device "nope"'],
    [entry(MAC, A, { via: 'nope' }), 'ERR_NOT_FOUND', 'Cannot find device "nope" of "via"'],
    [entry('52:54', A), 'ERR_USAGE', 'Cannot parse the MAC address "52:54"'],
    [entry(MAC, '10.0.0'), 'ERR_USAGE', 'Cannot parse the IP address "10.0.0" of "dst"'],
    [entry(MAC, '0.0.0.0'), 'ERR_USAGE', 'Cannot send to the unspecified address "0.0.0.0"'],
    [entry(MAC, '239.1.1.1'), 'ERR_USAGE', 'Cannot send to the multicast group "239.1.1.1"'],
    [entry(MAC, '2001:db8::1'), 'ERR_USAGE', 'Cannot reach the IPv6 address "2001:db8::1" from "vx42"'],
    [{ ...entry(MAC, A), dev: 'vx6' }, 'ERR_USAGE', `Cannot reach the IPv4 address "${A}" from "vx6"`],
    [
      { ...entry(MAC, 'fe80::1'), dev: 'vx6' },
      'ERR_USAGE',
      'Cannot reach the link-local address "fe80::1" without "via"',
    ],
    [entry(MAC, A, { srcVni: 43 }), 'ERR_USAGE', 'Cannot use src_vni 43 on "vx42", whose VNI is 42'],
    [{ mac: MAC, dev: 'vx42' }, 'ERR_USAGE', `Cannot add "${MAC}" without "dst"`],
    [entry(ZERO, A, { state: 'dynamic' }), 'ERR_USAGE', `Cannot make the list of "${ZERO}" dynamic`],
  ] as const)('refuses %o', async (request, code, message) => {
    const fixture = new FdbFixture();
    await expect(fixture.verbs.change('add', [request])).rejects.toThrow(
      expect.objectContaining({ code, message, index: 0 }),
    );
    expect(fixture.dump()).toEqual([]);
  });

  it('applies all entries of a batch or none, and names the first that is wrong', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(OTHER, A)]);
    const batch = [entry(MAC, B), entry(ZERO, B), entry(OTHER, B), entry('02:00:00:00:00:01', B)];
    await expect(fixture.verbs.change('add', batch)).rejects.toThrow(failing('ERR_EXISTS', 2));
    await expect(fixture.verbs.change('add', [entry(MAC, B), entry(MAC, A)])).rejects.toThrow(
      failing('ERR_EXISTS', 1),
    );
    expect(fixture.dump()).toEqual([`vx42 ${OTHER} ${A} permanent`]);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('refuses a batch that the table or the remotes have no room for, and changes nothing', async () => {
    const fixture = new FdbFixture(64, 8);
    const { capacity } = fixture.tables.table;
    const macs = Array.from({ length: capacity + 1 }, (_, i) => entry(macOf(i), A));
    await expect(fixture.verbs.change('add', macs)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_LIMIT' }),
    );
    const remotes = Array.from({ length: 300 }, (_, i) => entry(macOf(i % 9), `10.0.${i >> 8}.${i & 255}`));
    await expect(fixture.verbs.change('replace', remotes)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_LIMIT' }),
    );
    expect(fixture.dump()).toEqual([]);
    expect(await fixture.liveRemotes()).toBe(0);
    await fixture.verbs.change('add', macs.slice(1));
    expect(fixture.dump()).toHaveLength(capacity);
  });
});

describe('FdbVerbs append', () => {
  it('adds destinations to the lists of the zero MAC and of multicast MACs', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B), entry(GROUP, A)]);
    expect(fixture.dump()).toEqual([
      `vx42 ${ZERO} ${A} permanent`,
      `vx42 ${ZERO} ${B} permanent`,
      `vx42 ${GROUP} ${A} permanent`,
    ]);
    expect(fixture.verbs.floodRemotes(VX42)).toHaveLength(2);
  });

  it('refuses a destination twice, and unicast MACs', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A)]);
    await expect(fixture.verbs.change('append', [entry(ZERO, A)])).rejects.toThrow(
      failing('ERR_EXISTS'),
    );
    await expect(fixture.verbs.change('append', [entry(MAC, A)])).rejects.toThrow(
      failing('ERR_USAGE'),
    );
  });

  it('is what add asks for when the list has other destinations', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(ZERO, A)]);
    await expect(fixture.verbs.change('add', [entry(ZERO, B)])).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_EXISTS', hint: expect.stringContaining('append') }),
    );
  });
});

describe('FdbVerbs replace', () => {
  it('adds, moves and overwrites, and forgets remotes that nobody refers to', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('replace', [entry(MAC, A)]);
    await fixture.verbs.change('replace', [entry(MAC, B, { state: 'static' })]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${B} static`]);
    expect(fixture.sender(0, A)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('makes a whole list one destination', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('replace', [entry(ZERO, B)]);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${B} permanent`]);
  });
});

describe('FdbVerbs del', () => {
  it('deletes an entry, and its remote may no longer send', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    await fixture.verbs.change('del', [{ mac: MAC, dev: 'vx42' }]);
    expect(fixture.dump()).toEqual([]);
    expect(fixture.sender(0, A)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(0);
  });

  it('deletes learned entries too', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    fixture.learn(0, MAC, A);
    await fixture.verbs.change('del', [entry(MAC, A)]);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${A} permanent`]);
  });

  it('refuses what does not exist and changes nothing', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A), entry(ZERO, A)]);
    const missing = [
      { mac: OTHER, dev: 'vx42' },
      { mac: MAC, dev: 'vx43' },
      entry(MAC, B),
      entry(MAC, A, { port: 4790 }),
      entry(ZERO, B),
      { mac: GROUP, dev: 'vx42' },
    ];
    for (const request of missing) {
      await expect(
        fixture.verbs.change('del', [{ mac: MAC, dev: 'vx42' }, request]),
      ).rejects.toThrow(failing('ERR_NOT_FOUND', 1));
    }
    await expect(
      fixture.verbs.change('del', [entry(MAC, A), { mac: MAC, dev: 'vx42' }]),
    ).rejects.toThrow(failing('ERR_NOT_FOUND', 1));
    expect(fixture.dump()).toHaveLength(2);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('takes one destination from a list, and the row with the last', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('del', [entry(ZERO, A)]);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${B} permanent`]);
    await fixture.verbs.change('del', [entry(ZERO, B)]);
    expect(fixture.tables.table.count).toBe(0);
  });

  it('takes the whole list without dst', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('del', [{ mac: ZERO, dev: 'vx42' }]);
    expect(fixture.tables.table.count).toBe(0);
    expect(await fixture.liveRemotes()).toBe(0);
  });
});

describe('FdbVerbs dynamic entries', () => {
  it('do not allow their remote to send, and let go of it when they age', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A, { state: 'dynamic' })]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A}`]);
    expect(fixture.sender(0, A)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(1);
    const mac = parseMac(MAC)!;
    fixture.tables.table.remove(42, mac.high, mac.low);
    fixture.verbs.aged({ vni: 42, macHigh: mac.high, macLow: mac.low });
    expect(await fixture.liveRemotes()).toBe(0);
  });

  it('are followed by learning, and let go of their remote when they are overwritten', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(B)]);
    await fixture.verbs.change('add', [entry(MAC, A, { state: 'dynamic' })]);
    fixture.learn(0, MAC, B);
    expect(fixture.dump()).toContain(`vx42 ${MAC} ${B}`);
    await fixture.verbs.change('add', [entry(MAC, B)]);
    expect(await fixture.liveRemotes()).toBe(1);
  });
});

describe('FdbVerbs remotes', () => {
  it('removes what was learned of a remote before its row is used again', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    expect(fixture.learn(0, OTHER, A)).toBe(true);
    await fixture.verbs.change('del', [entry(MAC, A)]);
    expect(fixture.learn(0, OTHER, A)).toBe(false);
    await fixture.settle();
    expect(fixture.dump()).toEqual([]);
  });

  it('keeps what was learned of a remote that another entry refers to', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A), entry(ZERO, A)]);
    fixture.learn(0, OTHER, A);
    await fixture.verbs.change('del', [entry(MAC, A)]);
    await fixture.settle();
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${A} permanent`, `vx42 ${OTHER} ${A}`].sort());
  });

  it('survives a remote that is dropped, used, and dropped again before the workers forgot it', async () => {
    const fixture = new FdbFixture();
    for (let round = 0; round < 3; round += 1) {
      await fixture.verbs.change('add', [entry(MAC, A)]);
      fixture.learn(0, OTHER, A);
      await fixture.verbs.change('del', [entry(MAC, A)]);
    }
    expect(await fixture.liveRemotes()).toBe(0);
    expect(fixture.dump()).toEqual([]);
  });
});

describe('FdbVerbs setConfiguredRemotes()', () => {
  it('makes the flood list, follows a new configuration and keeps what a user appended', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A), configured(B), configured(A)]);
    await fixture.verbs.change('append', [entry(ZERO, '10.0.0.9')]);
    expect(fixture.dump()).toHaveLength(3);
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(B), configured('10.0.0.8')]);
    expect(fixture.dump()).toEqual(
      ['10.0.0.8', '10.0.0.9', B].map((dst) => `vx42 ${ZERO} ${dst} permanent`),
    );
    expect(fixture.sender(0, A)).toBe(-1);
    expect(fixture.verbs.isConfigured(VX42, fixture.sender(0, B))).toBe(true);
    expect(fixture.verbs.isConfigured(VX42, fixture.sender(0, '10.0.0.9'))).toBe(false);
    expect(await fixture.liveRemotes()).toBe(3);
  });

  it('lets a configured remote send after it was deleted from the flood list', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    await fixture.verbs.change('del', [entry(ZERO, A)]);
    expect(fixture.dump()).toEqual([]);
    expect(fixture.sender(0, A)).toBeGreaterThanOrEqual(0);
    await fixture.verbs.setConfiguredRemotes(VX42, []);
    expect(await fixture.liveRemotes()).toBe(0);
  });
});

describe('FdbVerbs flush()', () => {
  async function filled(): Promise<FdbFixture> {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    await fixture.verbs.change('append', [entry(ZERO, B), entry(GROUP, B)]);
    await fixture.verbs.change('add', [
      entry(MAC, A, { state: 'static' }),
      entry(MAC, A, { dev: 'vx43' }),
    ]);
    fixture.learn(0, OTHER, A);
    return fixture;
  }

  it('removes everything of the device but the configured remotes', async () => {
    const fixture = await filled();
    expect(await fixture.verbs.flush({ tunnel: VX42 })).toBe(4);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${A} permanent`, `vx43 ${MAC} ${A} permanent`]);
  });

  it('removes only the states and destinations asked for', async () => {
    const fixture = await filled();
    expect(await fixture.verbs.flush({ tunnel: VX42, states: new Set([STATE_DYNAMIC]) })).toBe(1);
    expect(await fixture.verbs.flush({ tunnel: VX42, dst: parseIp(B)! })).toBe(2);
    expect(fixture.dump()).toEqual([
      `vx42 ${ZERO} ${A} permanent`,
      `vx42 ${MAC} ${A} static`,
      `vx43 ${MAC} ${A} permanent`,
    ]);
  });
});

describe('FdbVerbs removeTunnel()', () => {
  it('leaves nothing of the tunnel and everything of the others', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    await fixture.verbs.setConfiguredRemotes(VX43, [configured(A)]);
    await fixture.verbs.change('add', [entry(MAC, B), entry(OTHER, B, { state: 'dynamic' })]);
    await fixture.verbs.removeTunnel(VX42);
    expect(fixture.dump()).toEqual([`vx43 ${ZERO} ${A} permanent`]);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('makes a batch fail that was parsed before', async () => {
    const fixture = new FdbFixture();
    const batch = fixture.verbs.batch('add');
    batch.push(entry(MAC, A));
    const removal = fixture.verbs.removeTunnel(VX42);
    fixture.tunnels = fixture.tunnels.filter(({ name }) => name !== 'vx42');
    await expect(fixture.verbs.apply(batch)).rejects.toThrow('Cannot find device "vx42"');
    await removal;
  });
});

describe('FdbVerbs reading', () => {
  it('finds the rows of one MAC', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    expect(fixture.verbs.find(VX42, 0, 0).map(({ dst }) => dst)).toEqual([A, B]);
    expect(fixture.verbs.find(VX43, 0, 0)).toEqual([]);
  });

  it('adds ages and counters when statistics are asked for', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    fixture.nowSeconds += 7;
    const mac = parseMac(MAC)!;
    expect(fixture.verbs.find(VX42, mac.high, mac.low, true)).toEqual([
      {
        mac: MAC,
        ifname: 'vx42',
        dst: A,
        used: 7,
        updated: 7,
        frames: 0,
        flags: ['self'],
        state: 'permanent',
      },
    ]);
  });

  it('filters rows', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('add', [
      entry(MAC, A, { state: 'static', vni: 9 }),
      entry(MAC, A, { dev: 'vx43', port: 9 }),
    ]);
    const macs = (filter: object) => [...fixture.verbs.rows(filter)].flat().map(({ mac }) => mac);
    expect(macs({ dst: parseIp(B)! })).toEqual([ZERO]);
    expect(macs({ tunnel: VX43 })).toEqual([MAC]);
    expect(macs({ vni: 9 })).toEqual([MAC]);
    expect(macs({ port: 9 })).toEqual([MAC]);
    expect(macs({ mac: parseMac(MAC)! })).toEqual([MAC, MAC]);
    expect(macs({ mac: parseMac(MAC)!, tunnel: VX42, states: new Set([STATE_DYNAMIC]) })).toEqual([]);
  });

  it('counts entries by VNI', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    fixture.learn(0, MAC, A);
    expect(await fixture.verbs.countEntries()).toEqual(new Map([[42, { learned: 1, static: 1 }]]));
  });
});

function macOf(number: number): string {
  const hex = number.toString(16).padStart(6, '0');
  return `02:00:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
}
