import { describe, expect, test } from 'vitest';
import {
  RequestBuilder,
  nestedAttributes,
  numberAttribute,
  parseAttributes,
  parseMessages,
  textAttribute,
} from '../../../src/linux/netlink-message.ts';

describe('netlink messages', () => {
  test('a request has header, fixed part and padded attributes', () => {
    const bytes = new RequestBuilder(Buffer.from('01020304', 'hex'))
      .text(3, 'lo')
      .uint32(4, 1500)
      .build(18, 0x301, 7);
    expect(bytes.toString('hex')).toBe(
      '24000000' +
        '1200' +
        '0103' +
        '07000000' +
        '00000000' + // header, length 36
        '01020304' + // fixed part
        '07000300' +
        '6c6f0000' + // "lo", its zero byte, one of padding
        '08000400' +
        'dc050000',
    );
  });

  test('what was built is parsed back', () => {
    const inner = new RequestBuilder(Buffer.alloc(0)).text(1, 'vxlan').uint32(2, 42);
    const request = new RequestBuilder(Buffer.alloc(16))
      .nested(18, inner)
      .bytes(1, Buffer.alloc(6, 9));
    const datagram = Buffer.concat([request.build(16, 2, 1), request.build(3, 0, 1)]);
    const messages = parseMessages(datagram);
    expect(messages.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual([
      [16, 2, 1],
      [3, 0, 1],
    ]);
    const attributes = parseAttributes(messages[0]!.body, 16);
    const nested = nestedAttributes(attributes, 18);
    expect(textAttribute(nested, 1)).toBe('vxlan');
    expect(numberAttribute(nested, 2)).toBe(42);
    expect(attributes.get(1)).toEqual(Buffer.alloc(6, 9));
    expect(nestedAttributes(attributes, 99).size).toBe(0);
  });

  test('numberAttribute() reads 1, 2 and 4 bytes and nothing else', () => {
    const attributes = parseAttributes(
      new RequestBuilder(Buffer.alloc(0))
        .bytes(1, Buffer.from('ff', 'hex'))
        .bytes(2, Buffer.from('3412', 'hex'))
        .bytes(3, Buffer.from('ffffffff', 'hex'))
        .bytes(4, Buffer.alloc(8))
        .body(),
      0,
    );
    expect([1, 2, 3, 4, 5].map((type) => numberAttribute(attributes, type))).toEqual([
      255,
      0x1234,
      0xffff_ffff,
      undefined,
      undefined,
    ]);
  });

  test('lengths that lie end the list instead of reading further', () => {
    const message = new RequestBuilder(Buffer.alloc(0)).uint32(1, 5).build(16, 0, 1);
    for (const length of [0, 15, message.length + 1, 0xffff_ffff]) {
      const broken = Buffer.from(message);
      broken.writeUInt32LE(length, 0);
      expect(parseMessages(broken)).toEqual([]);
    }
    for (const length of [0, 3, 9, 0xffff]) {
      const body = new RequestBuilder(Buffer.alloc(0)).uint32(1, 5).body();
      body.writeUInt16LE(length, 0);
      expect(parseAttributes(body, 0).size).toBe(0);
    }
    for (let length = 0; length < message.length; length++) {
      expect(parseMessages(message.subarray(0, length))).toEqual([]);
    }
  });
});
