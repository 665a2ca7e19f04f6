import { expect, test } from 'vitest';
import { SEND_TOO_BIG } from '../../../src/packet/transmit-plan.ts';
import { DataPath, NOW_SECONDS } from '../../support/data-path.ts';
import { arpFrame, bytesOf, tcpFrame, udpFrame } from '../../support/packets.ts';

const MTU = 1000;
const LARGE = { payload: bytesOf(1200), dontFragment: true } as const;

/** MTU and quoted packet of every ICMP error that went back to the device. */
function answers(path: DataPath): { mtu: number; quote: Uint8Array }[] {
  return path.writer.deliveries.map(({ frame }) => ({
    mtu: frame[40]! * 256 + frame[41]!,
    quote: frame.slice(42),
  }));
}

function quoteOf(frame: Uint8Array): Uint8Array {
  return frame.slice(14, 14 + 548);
}

/** A data path whose kernel says that 1000 bytes fit. */
function refusing(): { path: DataPath; row: number } {
  const path = new DataPath();
  const row = path.remote('192.0.2.1');
  path.flood([row]);
  path.sender.outcome = () => {
    path.plan.pathMtu.fill(MTU);
    return SEND_TOO_BIG;
  };
  return { path, row };
}

test('what the kernel refuses teaches, and is answered', () => {
  const { path, row } = refusing();
  const frame = udpFrame(LARGE);
  path.transmit([{ frame }]);
  expect(path.tables.pathMtus.mtu(row)).toBe(MTU);
  expect(answers(path)).toEqual([{ mtu: MTU - 50, quote: quoteOf(frame) }]);
  path.transmit([{ frame }]);
  expect(path.sender.calls, 'the second was not tried').toBe(1);
  expect(answers(path)).toHaveLength(2);
  expect(path.drops()).toEqual({ mtu: 2 });
});

test('a message of segments is answered by its first', () => {
  const { path } = refusing();
  const vnet = { flags: 1, gsoType: 1, csumStart: 34, csumOffset: 16, gsoSize: 1200 };
  const spec = { payload: bytesOf(5000), dontFragment: true } as const;
  path.transmit([{ frame: tcpFrame({ ...spec, checksum: 'partial' }), vnet }]);
  const first = tcpFrame({ ...spec, payload: spec.payload.slice(0, 1200) });
  expect(answers(path)).toEqual([{ mtu: MTU - 50, quote: quoteOf(first) }]);
  expect(path.drops()).toEqual({ mtu: 5 });
});

test('a refusal without an MTU is only counted', () => {
  const path = new DataPath();
  path.flood([path.remote('192.0.2.1')]);
  path.sender.outcome = () => SEND_TOO_BIG;
  path.transmit([{ frame: udpFrame(LARGE) }]);
  expect([answers(path), path.drops()]).toEqual([[], { mtu: 1 }]);
});

test('only the remote behind the narrow path is held to it, and small frames pass', () => {
  const path = new DataPath();
  const rows = ['192.0.2.1', '192.0.2.2'].map((text) => path.remote(text));
  path.flood(rows);
  path.tables.pathMtus.learn(rows[0]!, MTU, NOW_SECONDS);
  path.transmit([{ frame: udpFrame(LARGE) }, { frame: arpFrame() }]);
  expect(path.sender.messages.map(({ remote }) => remote).sort()).toEqual([
    rows[0],
    rows[1],
    rows[1],
  ]);
  expect(answers(path)).toHaveLength(1);
});
