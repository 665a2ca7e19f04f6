/**
 * A small traffic tool for machines without ping and iperf3: run inside a host of a lab as
 * `node dist/test/support/traffic.js MODE ADDRESS PORT NUMBER`.
 *
 *   send   ADDRESS PORT SECONDS   listens; sends for SECONDS to the one who connects, then ends
 *   fetch  ADDRESS PORT SECONDS   connects and counts; one line of JSON ({@link TransferReport})
 *   echo   ADDRESS PORT SECONDS   answers UDP datagrams until SECONDS are over
 *   probe  ADDRESS PORT COUNT     sends COUNT datagrams one after another; JSON ({@link ProbeReport})
 */
import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6 } from 'node:net';
import { pathToFileURL } from 'node:url';

export interface TransferReport {
  readonly bytes: number;
  readonly seconds: number;
  readonly bitsPerSecond: number;
}

export interface ProbeReport {
  readonly sent: number;
  readonly received: number;
  /** Mean of the answered ones; 0 when none was. */
  readonly meanMs: number;
}

/** 1 MiB a write: the cost of the event loop disappears beside that of copying. */
const WRITE_BYTES = 1 << 20;
const ANSWER_TIMEOUT_MS = 1_000;

function send(address: string, port: number, seconds: number): void {
  const chunk = Buffer.alloc(WRITE_BYTES, 0x5a);
  const server = createServer((socket) => {
    server.close();
    const deadline = performance.now() + seconds * 1_000;
    const pump = (): void => {
      while (performance.now() < deadline) {
        if (!socket.write(chunk)) {
          socket.once('drain', pump);
          return;
        }
      }
      socket.end();
    };
    socket.on('error', fail);
    pump();
  });
  server.on('error', fail);
  server.listen(port, address, () => console.log('listening'));
}

function fetch(address: string, port: number, seconds: number): void {
  let bytes = 0;
  let started = 0;
  const socket = connect({
    host: address,
    port,
    // One buffer for all reads: nothing is allocated per packet.
    onread: {
      buffer: Buffer.alloc(WRITE_BYTES),
      callback: (length) => {
        if (started === 0) started = performance.now();
        bytes += length;
        return true;
      },
    },
  });
  // The sender's buffers drain after its time is over; a tunnel that stalls must not hang the caller.
  const limit = setTimeout(() => finish(), (seconds + 10) * 1_000);
  const finish = (): void => {
    clearTimeout(limit);
    socket.destroy();
    const elapsed = started === 0 ? 0 : (performance.now() - started) / 1_000;
    const bitsPerSecond = elapsed === 0 ? 0 : (bytes * 8) / elapsed;
    const report: TransferReport = { bytes, seconds: elapsed, bitsPerSecond };
    console.log(JSON.stringify(report));
  };
  socket.on('error', fail);
  socket.once('end', finish);
}

function echo(address: string, port: number, seconds: number): void {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('error', fail);
  socket.on('message', (message, from) => socket.send(message, from.port, from.address));
  socket.bind(port, address, () => console.log('listening'));
  setTimeout(() => socket.close(), seconds * 1_000);
}

async function probe(address: string, port: number, count: number): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('error', fail);
  let received = 0;
  let totalMs = 0;
  for (let sequence = 0; sequence < count; sequence++) {
    const started = performance.now();
    const answered = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ANSWER_TIMEOUT_MS);
      socket.on('message', (message) => {
        if (message.length < 4 || message.readUInt32BE(0) !== sequence) return;
        clearTimeout(timer);
        resolve(true);
      });
    });
    const message = Buffer.alloc(64);
    message.writeUInt32BE(sequence);
    socket.send(message, port, address);
    if (await answered) {
      received += 1;
      totalMs += performance.now() - started;
    }
    socket.removeAllListeners('message');
  }
  socket.close();
  const meanMs = received === 0 ? 0 : totalMs / received;
  const report: ProbeReport = { sent: count, received, meanMs };
  console.log(JSON.stringify(report));
}

function fail(error: Error): never {
  console.error(error.message);
  process.exit(1);
}

async function main(argv: readonly string[]): Promise<void> {
  const [mode, address, port, number] = argv;
  if (address === undefined || port === undefined || number === undefined) {
    fail(new Error('usage: traffic send|fetch|echo|probe ADDRESS PORT NUMBER'));
  }
  if (mode === 'send') send(address, Number(port), Number(number));
  else if (mode === 'fetch') fetch(address, Number(port), Number(number));
  else if (mode === 'echo') echo(address, Number(port), Number(number));
  else if (mode === 'probe') await probe(address, Number(port), Number(number));
  else fail(new Error(`Run mode "${String(mode)}": there is no such mode`));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await main(process.argv.slice(2));
