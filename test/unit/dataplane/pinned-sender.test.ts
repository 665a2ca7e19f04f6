import { expect, it } from 'vitest';

import { isPinnedTo } from '../../../src/dataplane/pinned-sender.ts';
import { DataPath, macNumbers, VNI } from '../../support/data-path.ts';

const MAC = '02:00:00:00:00:0a';

it('compares addresses, whatever port the entry names', () => {
  const path = new DataPath();
  const { high, low } = macNumbers(MAC);
  const sender = path.remote('192.0.2.1');
  const isPinned = (): boolean => isPinnedTo(path.tables, VNI, high, low, 0, sender);
  expect(isPinned()).toBe(false);
  path.entry(MAC, path.remote('192.0.2.1', { port: 8472 }));
  expect(isPinned()).toBe(true);
  path.entry(MAC, path.remote('192.0.2.2'));
  expect(isPinned()).toBe(false);
});
