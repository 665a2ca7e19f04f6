import { describe, expect, test } from 'vitest';
import { ANSWER_BYTES_MAX, ANSWERS_MAX } from '../../../src/dataplane/answers.ts';
import { VLAN_DROP } from '../../../src/dataplane/vlan-table.ts';
import { DELIVERY_REFUSED } from '../../../src/packet/delivery-plan.ts';
import { DataPath } from '../../support/data-path.ts';
import { bytesOf } from '../../support/packets.ts';

function answer(path: DataPath, tunnel: number, bytes: Uint8Array): void {
  const at = path.answers.begin(tunnel);
  path.arena.bytes.set(bytes, at);
  path.answers.commit(bytes.length);
}

describe('answers', () => {
  test('are written to their tunnels in order, with an empty virtio_net_hdr, once', () => {
    const path = new DataPath();
    const frames = [bytesOf(60, 1), bytesOf(ANSWER_BYTES_MAX, 2), bytesOf(42, 3)];
    frames.forEach((frame, index) => answer(path, index, frame));
    path.answers.flush();
    path.answers.flush();
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual(frames);
    expect(path.writer.deliveries.map(({ tunnel }) => tunnel)).toEqual([0, 1, 2]);
    for (const { vnet } of path.writer.deliveries) {
      expect(vnet).toMatchObject({ flags: 0, gsoType: 0, gsoSize: 0 });
    }
  });

  test('have the tag of the VLAN that their tunnel is on the device', () => {
    const path = new DataPath();
    path.tables.vlans.set(1, VLAN_DROP, 10);
    const frame = bytesOf(ANSWER_BYTES_MAX, 2);
    answer(path, 1, frame);
    answer(path, 0, frame);
    path.answers.flush();
    const tagged = [...frame.subarray(0, 12), 0x81, 0, 0, 10, ...frame.subarray(12)];
    const [first, second] = path.writer.deliveries.map((delivery) => [...delivery.frame]);
    expect(first).toEqual(tagged);
    expect(second).toEqual([...frame]);
  });

  test('that were begun and not committed are not written', () => {
    const path = new DataPath();
    path.answers.begin(0);
    answer(path, 1, bytesOf(42));
    path.answers.begin(2);
    path.answers.flush();
    expect(path.writer.deliveries.map(({ tunnel }) => tunnel)).toEqual([1]);
  });

  test('have no room when a batch of them waits, and have it again after the flush', () => {
    const path = new DataPath();
    for (let count = 0; count < ANSWERS_MAX; count += 1) answer(path, 0, bytesOf(42, count));
    expect(path.answers.begin(0)).toBe(-1);
    path.answers.flush();
    expect(path.writer.deliveries).toHaveLength(ANSWERS_MAX);
    expect(path.answers.begin(0)).toBeGreaterThanOrEqual(0);
  });

  test('that the device refuses count as a drop of their tunnel', () => {
    const path = new DataPath();
    path.writer.outcome = ({ tunnel }) => (tunnel === 1 ? DELIVERY_REFUSED : 0);
    answer(path, 0, bytesOf(42));
    answer(path, 1, bytesOf(42));
    path.answers.flush();
    expect(path.drops(0)).toEqual({});
    expect(path.drops(1)).toEqual({ tap_write: 1 });
  });

  test('of a batch that could not be finished are forgotten', () => {
    const path = new DataPath();
    answer(path, 0, bytesOf(42));
    path.transmitter.discard();
    path.answers.flush();
    expect(path.writer.deliveries).toEqual([]);
  });

  test('are written at the end of a transmitted batch', () => {
    const path = new DataPath();
    answer(path, 0, bytesOf(42));
    path.transmit([]);
    expect(path.writer.deliveries).toHaveLength(1);
  });
});
