import { expect, test } from 'vitest';
import { COUNTER_LEARNED } from '../../../src/dataplane/counters.ts';
import { attachTables, sharedMemory } from '../../../src/dataplane/shared-tables.ts';
import { DataPath, mappedAddress, VNI } from '../../support/data-path.ts';

test('attachTables() sees what another thread has written into the memory', () => {
  const path = new DataPath();
  const remote = path.remote('192.0.2.9');
  path.flood([remote, remote]);
  // A message carries the memory as it is: shared, not copied.
  const memory = sharedMemory(path.tables);
  const other = attachTables({ ...memory, shape: structuredClone(memory.shape) });
  const list = other.fdb.lookup(VNI, 0, 0);
  expect([other.lists.length(list), other.lists.at(list, 1)]).toEqual([2, remote]);
  expect(other.remotes.findSender(0, mappedAddress('192.0.2.9'), 0)).toBe(remote);
  expect(other.tunnels.vni(0)).toBe(VNI);
  other.counters.increment(0, 0, COUNTER_LEARNED);
  expect(path.counter(COUNTER_LEARNED)).toBe(1);
  other.pathMtus.learn(remote, 1400, 1);
  expect(path.tables.pathMtus.mtu(remote)).toBe(1400);
  other.grace.enter(0);
  let collected = false;
  path.tables.grace.retire(() => {
    collected = true;
  });
  path.tables.grace.collect();
  expect(collected).toBe(false);
  other.grace.leave(0);
  path.tables.grace.collect();
  expect(collected).toBe(true);
});
