/**
 * The process that does a test's networking inside a host of a lab: transfers and datagrams with their
 * content, and raw frames. Run as `node dist/test/support/agent-program.js SOCKET`; it answers the
 * operations of agent-protocol.ts on a unix socket, which namespaces of a lab share.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

import type {
  Answer,
  Operation,
  Operations,
  ReceivedDatagram,
  Request,
  Transfer,
} from './agent-protocol.ts';
import { sendFrames, sendSegmented } from './packet-socket.ts';
import { sleep, waitFor } from './wait.ts';

type Handlers = {
  [Name in Operation]: (
    request: Operations[Name]['request'],
  ) => Promise<Operations[Name]['answer']> | Operations[Name]['answer'];
};

const WRITE_BYTES = 256 * 1024;
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** Datagrams sent in a row before the receivers get a moment, so that no socket buffer overflows. */
const BURST = 16;
const BURST_BYTES = 100_000;

const transfers = new Map<number, Promise<Transfer>>();
const udpSinks = new Map<number, { socket: UdpSocket; received: ReceivedDatagram[] }>();
let sinks = 0;

const handlers: Handlers = {
  async tcpSink({ address }) {
    const server = createServer();
    const transfer = new Promise<Transfer>((resolve, reject) => {
      server.once('connection', (socket) => {
        server.close();
        receive(socket).then(resolve, reject);
      });
    });
    // Who asks for the result is told; nobody may.
    transfer.catch(() => {});
    server.listen(0, address);
    await once(server, 'listening');
    sinks += 1;
    transfers.set(sinks, transfer);
    return { sink: sinks, port: (server.address() as AddressInfo).port };
  },

  tcpResult: ({ sink, timeoutMs }) =>
    withTimeout(transfers.get(sink)!, timeoutMs, 'receive a TCP transfer'),

  tcpSource: ({ address, port, bytes, timeoutMs }) =>
    withTimeout(send(address, port, bytes), timeoutMs, `send a TCP transfer to ${address}`),

  async udpSink({ address, port }) {
    const socket = udpSocket(address);
    const received: ReceivedDatagram[] = [];
    socket.on('message', (payload, from) => {
      received.push({
        payload: payload.toString('base64'),
        address: from.address,
        port: from.port,
      });
    });
    socket.bind(port, address);
    await once(socket, 'listening');
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    sinks += 1;
    udpSinks.set(sinks, { socket, received });
    return { sink: sinks, port: socket.address().port };
  },

  async udpTake({ sink, count, timeoutMs }) {
    const { received } = udpSinks.get(sink)!;
    const complete = waitFor(() => received.length >= count, {
      timeoutMs,
      intervalMs: 5,
      what: 'datagrams',
    });
    // The test says what is missing better than a timeout could.
    await complete.catch(() => {});
    return received.splice(0);
  },

  async udpClose({ sink }) {
    const { socket } = udpSinks.get(sink)!;
    udpSinks.delete(sink);
    socket.close();
    await once(socket, 'close');
    return null;
  },

  async udpSend({ address, port, payloads, from, fromPort }) {
    const socket = udpSocket(address);
    socket.bind(fromPort ?? 0, from);
    await once(socket, 'listening');
    let burst = 0;
    for (const [index, text] of payloads.entries()) {
      const payload = Buffer.from(text, 'base64');
      await sendDatagram(socket, payload, port, address);
      burst += payload.length;
      if (index % BURST === BURST - 1 || burst > BURST_BYTES) {
        burst = 0;
        await sleep(2);
      }
    }
    const source = socket.address().port;
    socket.close();
    return { port: source };
  },

  udpSendSegmented({ address, port, payload, segmentBytes }) {
    sendSegmented(address, port, Buffer.from(payload, 'base64'), segmentBytes);
    return null;
  },

  inject(request) {
    const frames = request.frames.map((text) => Buffer.from(text, 'base64'));
    sendFrames(request.interface, frames, request.vnet);
    return null;
  },
};

function udpSocket(address: string): UdpSocket {
  return createSocket(isIPv6(address) ? 'udp6' : 'udp4');
}

function sendDatagram(
  socket: UdpSocket,
  payload: Buffer,
  port: number,
  address: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(payload, port, address, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function receive(socket: Socket): Promise<Transfer> {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  await once(socket, 'end');
  socket.destroy();
  return { bytes, sha256: hash.digest('hex') };
}

async function send(address: string, port: number, bytes: number): Promise<Transfer> {
  const socket = connect({ host: address, port });
  await once(socket, 'connect');
  const hash = createHash('sha256');
  for (let sent = 0; sent < bytes;) {
    const chunk = randomBytes(Math.min(WRITE_BYTES, bytes - sent));
    hash.update(chunk);
    sent += chunk.length;
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'close');
  return { bytes, sha256: hash.digest('hex') };
}

function withTimeout<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`${what}: not done after ${timeoutMs} ms`));
    const timer = setTimeout(late, timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function handle(request: Request): Promise<Answer> {
  try {
    const handler = handlers[request.operation] as (argument: unknown) => unknown;
    return { id: request.id, result: await handler(request.arguments) };
  } catch (error) {
    return { id: request.id, error: (error as Error).message };
  }
}

// The connection of the first test that needed a thing may fail long after: it is told, not killed by.
process.on('unhandledRejection', (error) => console.error(error));

const server = createServer((connection) => {
  createInterface({ input: connection }).on('line', (line) => {
    void handle(JSON.parse(line) as Request).then((answer) => {
      connection.write(`${JSON.stringify(answer)}\n`);
    });
  });
  connection.on('error', () => {});
});
server.listen(process.argv[2], () => console.log('listening'));
