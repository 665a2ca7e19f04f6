import { describe, expect, it } from 'vitest';

import { OWN_ECHO } from '../../../src/dataplane/group-senders.ts';
import { GroupTable, type HeardSender } from '../../../src/dataplane/group-table.ts';
import { mappedAddress } from '../../support/data-path.ts';

const OWN = mappedAddress('192.0.2.1');
const OTHER = mappedAddress('192.0.2.2');
const GROUP_ROW = 7;

function setUp(): { worker: GroupTable; main: GroupTable } {
  const main = new GroupTable(2, 4);
  main.setGroup(3, GROUP_ROW, OWN);
  return { main, worker: new GroupTable(2, 4, main.memory) };
}

function drain(table: GroupTable): HeardSender[] {
  const heard: HeardSender[] = [];
  table.drain((sender) => heard.push(sender));
  return heard;
}

describe('GroupSenders', () => {
  it('knows strangers, our own echo, and members that have no row yet', () => {
    const { main, worker } = setUp();
    expect(worker.sender(1, 0, OTHER, 0)).toBe(-1);
    expect(worker.sender(1, 3, OWN, 0)).toBe(OWN_ECHO);
    expect(drain(main)).toEqual([]);
    expect(worker.sender(1, 3, OTHER, 0)).toBe(GROUP_ROW);
    expect(drain(main)).toEqual([{ tunnel: 3, address: OTHER }]);
    main.clearGroup(3);
    expect(worker.sender(1, 3, OTHER, 0)).toBe(-1);
  });

  it('tells the main thread once of a sender that goes on sending', () => {
    const { main, worker } = setUp();
    for (let i = 0; i < 1000; i += 1) worker.sender(0, 3, OTHER, 0);
    expect(drain(main)).toHaveLength(1);
    worker.sender(0, 3, OTHER, 0);
    expect(drain(main)).toHaveLength(1);
  });

  it('loses senders of a full ring and nothing else, over and over', () => {
    const { main, worker } = setUp();
    for (let round = 0; round < 5; round += 1) {
      for (let i = 0; i < 100; i += 1) worker.sender(0, 3, mappedAddress(`10.0.${round}.${i}`), 0);
      const heard = drain(main);
      expect(heard).toHaveLength(64);
      expect(heard[63]).toEqual({ tunnel: 3, address: mappedAddress(`10.0.${round}.63`) });
    }
  });

  it('wakes the main thread, and does not let it sleep over what came before', async () => {
    const { main, worker } = setUp();
    const { signal } = main;
    worker.sender(0, 3, OTHER, 0);
    await main.changed(signal);
    const next = main.changed(main.signal);
    worker.wake();
    await next;
  });
});
