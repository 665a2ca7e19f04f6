/** What a test and the agent in one of its hosts say to each other: a line of JSON each way. */

export interface Transfer {
  readonly bytes: number;
  /** Of all bytes, hexadecimal. */
  readonly sha256: string;
}

export interface Sink {
  readonly sink: number;
  readonly port: number;
}

/** Bytes travel as base64. */
export interface ReceivedDatagram {
  readonly payload: string;
  readonly address: string;
  readonly port: number;
}

/** Request and answer of every operation. */
export interface Operations {
  /** Listens and takes one connection, until its end. */
  tcpSink: { request: { address: string }; answer: Sink };
  /** Waits for the end of the sink's connection. */
  tcpResult: { request: { sink: number; timeoutMs: number }; answer: Transfer };
  /** Connects and sends that many random bytes. */
  tcpSource: {
    request: { address: string; port: number; bytes: number; timeoutMs: number };
    answer: Transfer;
  };
  /** Port 0 lets the kernel choose. */
  udpSink: { request: { address: string; port: number }; answer: Sink };
  /** Takes what arrived; waits until there are `count`, or for `timeoutMs`. */
  udpTake: {
    request: { sink: number; count: number; timeoutMs: number };
    answer: ReceivedDatagram[];
  };
  /** The port is free again afterwards. */
  udpClose: { request: { sink: number }; answer: null };
  /** One socket for all; `from` (address, then port) may choose its source. */
  udpSend: {
    request: {
      address: string;
      port: number;
      payloads: string[];
      from?: string;
      fromPort?: number;
    };
    answer: { port: number };
  };
  /** One call, cut into datagrams of `segmentBytes` by the kernel. */
  udpSendSegmented: {
    request: { address: string; port: number; payload: string; segmentBytes: number };
    answer: null;
  };
  /** Whole Ethernet frames out of an interface; with `vnet` each behind a virtio_net_hdr. */
  inject: { request: { interface: string; frames: string[]; vnet: boolean }; answer: null };
}

export type Operation = keyof Operations;

export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly arguments: unknown;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
