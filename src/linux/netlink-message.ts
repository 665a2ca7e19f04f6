/**
 * The bytes of netlink messages (linux/netlink.h), on machines of little-endian order.
 *
 * ```
 * message    0 length (32, header included)  4 type (16)  6 flags (16)
 *            8 sequence (32)  12 port (32)  16 body
 * attribute  0 length (16, header included)  2 type (16)  4 value, padded to a multiple of 4
 * ```
 */
import { NLA_F_NESTED, NLA_TYPE_MASK } from './uapi.ts';

export const MESSAGE_HEADER_LENGTH = 16;
const ATTRIBUTE_HEADER_LENGTH = 4;

/**
 * One message of an answer; `body` is what follows the header and lies in the buffer that was
 * parsed.
 */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** Attribute values by type; of a repeated one the last. */
export type Attributes = ReadonlyMap<number, Buffer>;

/** Builds one request: a fixed part of the family, then attributes. */
export class RequestBuilder {
  readonly #parts: Buffer[];

  /**
   * `fixed` is the family's structure (ifinfomsg, ifaddrmsg, rtmsg); its length is a multiple of 4.
   */
  constructor(fixed: Buffer) {
    this.#parts = [fixed];
  }

  bytes(type: number, value: Uint8Array): this {
    this.#parts.push(attribute(type, value));
    return this;
  }

  uint32(type: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return this.bytes(type, bytes);
  }

  /** Text with the zero byte that ends it. */
  text(type: number, value: string): this {
    return this.bytes(type, Buffer.from(`${value}\0`));
  }

  /** An attribute made of the attributes of `inner`, whose fixed part is empty. */
  nested(type: number, inner: RequestBuilder): this {
    return this.bytes(type | NLA_F_NESTED, inner.body());
  }

  body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** The whole message. */
  build(type: number, flags: number, sequence: number): Buffer {
    const body = this.body();
    const header = Buffer.alloc(MESSAGE_HEADER_LENGTH);
    header.writeUInt32LE(MESSAGE_HEADER_LENGTH + body.length, 0);
    header.writeUInt16LE(type, 4);
    header.writeUInt16LE(flags, 6);
    header.writeUInt32LE(sequence, 8);
    return Buffer.concat([header, body]);
  }
}

/** The messages of one datagram. What does not fit its own length ends the list. */
export function parseMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + MESSAGE_HEADER_LENGTH <= datagram.length) {
    const length = datagram.readUInt32LE(offset);
    if (length < MESSAGE_HEADER_LENGTH || offset + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      body: datagram.subarray(offset + MESSAGE_HEADER_LENGTH, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/**
 * The attributes behind the first `offset` bytes. What does not fit its own length ends the list.
 */
export function parseAttributes(bytes: Buffer, offset: number): Attributes {
  const attributes = new Map<number, Buffer>();
  while (offset + ATTRIBUTE_HEADER_LENGTH <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < ATTRIBUTE_HEADER_LENGTH || offset + length > bytes.length) break;
    const type = bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK;
    attributes.set(type, bytes.subarray(offset + ATTRIBUTE_HEADER_LENGTH, offset + length));
    offset += align(length);
  }
  return attributes;
}

/** A nested attribute's own attributes; none when it is absent. */
export function nestedAttributes(attributes: Attributes, type: number): Attributes {
  const value = attributes.get(type);
  return value === undefined ? new Map<number, Buffer>() : parseAttributes(value, 0);
}

/** An attribute of 1, 2 or 4 bytes in host order; undefined when absent or of another length. */
export function numberAttribute(attributes: Attributes, type: number): number | undefined {
  const value = attributes.get(type);
  if (value?.length === 1 || value?.length === 2 || value?.length === 4) {
    return value.readUIntLE(0, value.length);
  }
  return undefined;
}

/** Text up to its zero byte; undefined when absent. */
export function textAttribute(attributes: Attributes, type: number): string | undefined {
  const value = attributes.get(type);
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

function attribute(type: number, value: Uint8Array): Buffer {
  const length = ATTRIBUTE_HEADER_LENGTH + value.length;
  const bytes = Buffer.alloc(align(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, ATTRIBUTE_HEADER_LENGTH);
  return bytes;
}

function align(length: number): number {
  return (length + 3) & ~3;
}
