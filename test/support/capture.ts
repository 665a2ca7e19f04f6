/** What went over a wire, taken with tcpdump and decoded with tshark: neither knows this program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Child } from './child.ts';
import { type Host, runCommand } from './host.ts';
import { waitFor } from './wait.ts';

const PCAP_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** Checks that tshark leaves out unless told: hardware usually does them after a capture. */
const CHECKSUMS = ['ip', 'udp', 'tcp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);

let capturesMade = 0;

export class Capture {
  /** The file that tcpdump writes. */
  readonly path: string;
  readonly #child: Child;

  private constructor(path: string, child: Child) {
    this.path = path;
    this.#child = child;
  }

  /**
   * Begins on an interface of `host`; settles when nothing is missed any more. For one direction only
   * name it: the filter words `inbound` and `outbound` miss the first frame.
   */
  static async start(
    host: Host,
    device: string,
    filter = '',
    direction: 'in' | 'out' | 'inout' = 'inout',
  ): Promise<Capture> {
    const path = join(host.folder, `capture-${capturesMade++}.pcap`);
    const words = ['-i', device, '-w', path, '-s', '0', '-U', '--immediate-mode', '-Z', 'root'];
    const child = host.spawn('tcpdump', ...words, '-B', '16384', '-Q', direction, filter);
    await waitFor(() => !child.running || child.stderr().includes('listening on'), {
      what: () => `tcpdump to listen: ${child.output()}`,
    });
    if (!child.running) throw new Error(`Start tcpdump: ${child.output()}`);
    return new Capture(path, child);
  }

  /** Waits until `count` frames are in the file, then ends tcpdump; returns the frames. */
  async frames(count: number, timeoutMs = 5_000): Promise<Buffer[]> {
    await waitFor(() => this.read().length >= count, { timeoutMs, what: 'frames' }).catch(() => {
      // The caller compares, and says more than a timeout could.
    });
    await this.stop();
    return this.read();
  }

  /** The frames so far; tcpdump goes on. */
  read(): Buffer[] {
    return readFrames(this.path);
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }

  /**
   * Decodes with tshark: one record for each packet that matches `filter`, with the values of every
   * field in the order of their occurrence, outer headers first.
   */
  decode<Field extends string>(fields: readonly Field[], filter = ''): Record<Field, string[]>[] {
    const words = ['-r', this.path, '-n', ...CHECKSUMS, '-d', 'udp.port==4789,vxlan'];
    const format = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a'];
    const columns = fields.flatMap((field) => ['-e', field]);
    const wanted = filter === '' ? [] : ['-Y', filter];
    const result = runCommand({}, 'tshark', [...words, ...format, ...columns, ...wanted]);
    if (result.status !== 0) throw new Error(`Run tshark: ${result.stderr}`);
    const lines = result.stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const cells = line.split('\t');
      const pairs = fields.map((field, index) => {
        const cell = cells[index] ?? '';
        return [field, cell === '' ? [] : cell.split(',')];
      });
      return Object.fromEntries(pairs) as Record<Field, string[]>;
    });
  }
}

/** The frames of a capture file in the classic format, as far as they are written already. */
function readFrames(path: string): Buffer[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return [];
  }
  const frames: Buffer[] = [];
  let at = PCAP_HEADER_BYTES;
  while (at + RECORD_HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at + 8);
    at += RECORD_HEADER_BYTES;
    if (at + length > bytes.length) break;
    frames.push(bytes.subarray(at, at + length));
    at += length;
  }
  return frames;
}
