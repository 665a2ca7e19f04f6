/**
 * ICMP echo requests with one in flight, timed in microseconds. Runs inside a host as
 * `node …/pinger.js ORDER` with a {@link PingerOrder} as JSON; prints a {@link PingerReport} at the end or
 * at SIGTERM.
 *
 * The far host's kernel answers: no process but those of the tunnel is on the way.
 */
import { writeSockaddr, SOCKADDR_LENGTH_MAX } from '../../../src/linux/sockaddr.ts';
import { libc } from '../../../src/linux/libc.ts';
import { mapArena } from '../../../src/linux/memory.ts';
import { AF_INET, SO_RCVTIMEO, SOCK_RAW, SOL_SOCKET } from '../../../src/linux/uapi.ts';
import { foldChecksum, sumBytes } from '../../../src/wire/checksum.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { blockFor, check, sleepExactly } from './native.ts';

export interface PingerOrder {
  readonly address: string;
  readonly seconds: number;
  /** From one request to the next; 0: the next one follows the answer at once. */
  readonly intervalMs: number;
  /** Not counted. */
  readonly warmUpSeconds: number;
}

export interface PingerReport {
  readonly sent: number;
  /** Without an answer after a second. */
  readonly lost: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const IPPROTO_ICMP = 1;
const ECHO_REQUEST = 8;
/** Header and the 56 bytes of data that ping sends. */
const REQUEST_BYTES = 64;
const TIMEOUT_SECONDS = 1;
const REPLY_OFFSET = 256;
const REPLY_BYTES = 512;
const TIMESPEC_OFFSET = 128;
const SAMPLES_MAX = 4_000_000;
/** How long the event loop, and with it a signal, waits for its turn. */
const TURN_MS = 50;

async function main(order: PingerOrder): Promise<void> {
  sleepExactly();
  let stopped = false;
  process.on('SIGTERM', () => (stopped = true));
  const pinger = new Pinger(order.address);
  const begin = performance.now() + order.warmUpSeconds * 1000;
  const end = begin + order.seconds * 1000;
  let turn = performance.now();
  while (performance.now() < end && !stopped) {
    const started = performance.now();
    pinger.ping(started >= begin);
    if (order.intervalMs > 0) pinger.pause(started + order.intervalMs);
    if (performance.now() < turn + TURN_MS) continue;
    turn = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(JSON.stringify(pinger.report()));
}

class Pinger {
  readonly #fd: number;
  readonly #arena = mapArena(4096);
  readonly #samples = new Float64Array(SAMPLES_MAX);
  readonly #id = process.pid & 0xffff;
  #sequence = 0;
  #answered = 0;
  #sent = 0;

  constructor(address: string) {
    this.#fd = check('socket', libc.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    const timeout = new Uint8Array(new BigInt64Array([BigInt(TIMEOUT_SECONDS), 0n]).buffer);
    const set = libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
    check('setsockopt', set);
    const name = new Uint8Array(SOCKADDR_LENGTH_MAX);
    const length = writeSockaddr(new DataView(name.buffer), 0, 4, parseIp(address)!, 0, 0, 0);
    check('connect', libc.connect(this.#fd, name, length));
  }

  ping(counts: boolean): void {
    const { base, view } = this.#arena;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    view.setUint8(0, ECHO_REQUEST);
    view.setUint16(2, 0);
    view.setUint16(4, this.#id);
    view.setUint16(6, this.#sequence);
    view.setUint16(2, foldChecksum(sumBytes(view, 0, REQUEST_BYTES, 0)));
    const started = performance.now();
    // What the device refuses stays without an answer.
    libc.write(this.#fd, base, REQUEST_BYTES);
    const answered = this.#await();
    const took = performance.now() - started;
    if (!counts) return;
    this.#sent += 1;
    if (!answered || this.#answered === SAMPLES_MAX) return;
    this.#samples[this.#answered] = took * 1000;
    this.#answered += 1;
  }

  pause(until: number): void {
    blockFor(this.#arena, TIMESPEC_OFFSET, until - performance.now());
  }

  #await(): boolean {
    const { base, view } = this.#arena;
    for (;;) {
      const length = libc.read(this.#fd, base + REPLY_OFFSET, REPLY_BYTES);
      if (length < 0) return false;
      const icmp = REPLY_OFFSET + (view.getUint8(REPLY_OFFSET) & 0xf) * 4;
      if (view.getUint8(icmp) !== 0 || view.getUint16(icmp + 4) !== this.#id) continue;
      if (view.getUint16(icmp + 6) === this.#sequence) return true;
    }
  }

  report(): PingerReport {
    const sorted = this.#samples.subarray(0, this.#answered).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    const lost = this.#sent - this.#answered;
    return { sent: this.#sent, lost, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}

await main(JSON.parse(process.argv[2]!) as PingerOrder);
