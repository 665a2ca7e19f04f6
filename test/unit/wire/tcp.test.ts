import { describe, expect, it } from 'vitest';
import * as tcp from '../../../src/wire/tcp.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

/** Ports 1000 and 5201, 24 bytes of header, ACK and PSH. */
const SEGMENT = '03e8 1451 a1b2c3d4 f1020304 6018 1f40 abcd 0000 02040578';

describe('isTcp()', () => {
  it('accepts a whole header and refuses every shorter length', () => {
    expect(tcp.isTcp(bytesOf(SEGMENT), 0, 24)).toBe(true);
    for (let available = 0; available < 24; available += 1) {
      expect(tcp.isTcp(bytesOf(SEGMENT), 0, available)).toBe(false);
    }
  });

  it('refuses a data offset below five', () => {
    expect(tcp.isTcp(bytesOf(SEGMENT.replace('6018', '4018')), 0, 24)).toBe(false);
  });
});

it('the readers read what stands in a header', () => {
  const view = bytesOf(SEGMENT);
  expect(tcp.tcpHeaderLength(view, 0)).toBe(24);
  expect(tcp.readTcpSourcePort(view, 0)).toBe(1000);
  expect(tcp.readTcpDestinationPort(view, 0)).toBe(5201);
  expect(tcp.readTcpSequence(view, 0)).toBe(0xa1b2c3d4 | 0);
  expect(tcp.readTcpAcknowledgment(view, 0)).toBe(0xf1020304);
  expect(tcp.readTcpFlags(view, 0)).toBe(tcp.TCP_ACK | tcp.TCP_PSH);
  expect(tcp.readTcpWindow(view, 0)).toBe(8000);
  expect(tcp.readTcpChecksum(view, 0)).toBe(0xabcd);
});

it('the writers write their field and nothing beside it', () => {
  const view = poisoned(20);
  tcp.writeTcpSequence(view, 0, 0x1_0000_0001);
  tcp.writeTcpAcknowledgment(view, 0, 0xf1020304);
  tcp.writeTcpFlags(view, 0, tcp.TCP_CWR);
  tcp.writeTcpWindow(view, 0, 8000);
  tcp.writeTcpChecksum(view, 0, 0xabcd);
  expect(hexOf(view)).toBe('a5a5a5a500000001f1020304a5801f40abcda5a5');
});
