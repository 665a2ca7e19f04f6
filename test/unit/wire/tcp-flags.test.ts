import { expect, it } from 'vitest';
import * as tcp from '../../../src/wire/tcp.ts';

it('flags are the bits of RFC 9293 §3.1, FIN the lowest', () => {
  const order = [tcp.TCP_FIN, tcp.TCP_SYN, tcp.TCP_RST, tcp.TCP_PSH];
  const rest = [tcp.TCP_ACK, tcp.TCP_URG, tcp.TCP_ECE, tcp.TCP_CWR];
  expect([...order, ...rest]).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
});
