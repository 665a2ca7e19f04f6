import { beforeEach, describe, expect, it } from 'vitest';

import { SILENT } from '../../../src/base/log.ts';
import { parseUnderlayAddress } from '../../../src/config/addresses.ts';
import type { UnderlayAddress } from '../../../src/config/config.ts';
import { NameWatch } from '../../../src/daemon/name-watch.ts';

const NAME = 'vtep-b.example';

/** What DNS says at the moment; names that are not in it cannot be resolved. */
let zone: Map<string, { addresses: string[]; ttlSeconds?: number }>;
let queries: string[];
let timers: { task: () => void; milliseconds: number; cancelled: boolean }[];
let warnings: Record<string, unknown>[];
let watch: NameWatch;

beforeEach(() => {
  zone = new Map();
  queries = [];
  timers = [];
  warnings = [];
  watch = new NameWatch({
    resolver: {
      async resolve(name) {
        queries.push(name);
        const answer = zone.get(name);
        if (answer === undefined) throw new Error('ENOTFOUND');
        const addresses = answer.addresses.map(addressOf);
        return { addresses, ttlSeconds: answer.ttlSeconds };
      },
    },
    schedule(task, milliseconds) {
      const timer = { task, milliseconds, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
    nowSeconds: () => 1,
    log: { ...SILENT, warn: (_, fields = {}) => void warnings.push(fields) },
  });
});

function addressOf(text: string): UnderlayAddress {
  const address = parseUnderlayAddress(text, 'remote');
  if ('refused' in address) throw new Error(address.refused);
  return address;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function again(): Promise<void> {
  timers.at(-1)!.task();
  await settled();
}

const texts = (): string[] => watch.addressesOf(NAME).map(({ text }) => text);

describe('a name', () => {
  it('is resolved at once, and its listener told of every change and of nothing else', async () => {
    zone.set(NAME, { addresses: ['192.0.2.1'] });
    let told = 0;
    watch.watch(NAME, () => (told += 1));
    expect(texts()).toEqual([]);
    await settled();
    expect([texts(), told]).toEqual([['192.0.2.1'], 1]);
    await again();
    expect(told).toBe(1);
    zone.set(NAME, { addresses: ['192.0.2.3', '192.0.2.2'] });
    await again();
    expect([texts(), told]).toEqual([['192.0.2.2', '192.0.2.3'], 2]);
    zone.set(NAME, { addresses: ['192.0.2.2', '192.0.2.3'] });
    await again();
    expect(told).toBe(2);
  });

  it.each([
    [undefined, 60],
    [30, 30],
    [0, 5],
    [86_400, 3600],
  ])('with a TTL of %s is resolved again after %i s', async (ttlSeconds, seconds) => {
    zone.set(NAME, { addresses: ['192.0.2.1'], ...(ttlSeconds !== undefined && { ttlSeconds }) });
    watch.watch(NAME, () => {});
    await settled();
    expect(timers.map(({ milliseconds }) => milliseconds)).toEqual([seconds * 1000]);
  });

  it('that cannot be resolved is warned of, tried again, and keeps what it was', async () => {
    watch.watch(NAME, () => {});
    await settled();
    expect(warnings).toMatchObject([{ name: NAME, message: 'ENOTFOUND' }]);
    expect(watch.failureOf(NAME)).toBe('ENOTFOUND');
    expect(timers.at(-1)!.milliseconds).toBe(5000);
    zone.set(NAME, { addresses: ['192.0.2.1'] });
    await again();
    expect([texts(), watch.failureOf(NAME)]).toEqual([['192.0.2.1'], undefined]);
    zone.clear();
    await again();
    expect([texts(), watch.failureOf(NAME)]).toEqual([['192.0.2.1'], 'ENOTFOUND']);
  });

  it('of several tunnels is resolved once, until the last of them goes', async () => {
    zone.set(NAME, { addresses: ['192.0.2.1'] });
    const unwatch = [1, 2].map(() => watch.watch(NAME, () => {}));
    await settled();
    expect(queries).toEqual([NAME]);
    unwatch[0]!();
    expect(timers[0]!.cancelled).toBe(false);
    unwatch[1]!();
    expect(timers[0]!.cancelled).toBe(true);
    expect(texts()).toEqual([]);
  });

  it('among a thousand is resolved like all of them', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `n${index}.example`);
    for (const name of names) {
      zone.set(name, { addresses: ['192.0.2.1'] });
      watch.watch(name, () => {});
    }
    await settled();
    expect(queries.toSorted()).toEqual(names.toSorted());
    watch.stop();
    expect(timers.every(({ cancelled }) => cancelled)).toBe(true);
  });
});
