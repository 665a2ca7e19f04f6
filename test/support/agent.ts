/** A test's hand inside a host of a lab: see agent-protocol.ts for what it can do there. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Answer, Operation, Operations, Request } from './agent-protocol.ts';
import type { Child } from './child.ts';
import type { Host } from './host.ts';
import { distFolder } from './paths.ts';
import { waitFor } from './wait.ts';

export type { ReceivedDatagram, Sink, Transfer } from './agent-protocol.ts';

let agentsMade = 0;

export class Agent {
  readonly host: Host;
  readonly #child: Child;
  readonly #socket: Socket;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  #requests = 0;

  private constructor(host: Host, child: Child, socket: Socket) {
    this.host = host;
    this.#child = child;
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      const settle = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      settle?.(answer);
    });
    socket.on('error', () => {});
    // Only while it is asked something it keeps the test process alive.
    socket.unref();
  }

  /** Starts one on `host`; the lab ends it. */
  static async start(host: Host): Promise<Agent> {
    const path = join(host.folder, `agent-${agentsMade++}.sock`);
    const program = join(distFolder(), 'test', 'support', 'agent-program.js');
    const child = host.spawn(process.execPath, program, path);
    await waitFor(() => !child.running || child.stdout().includes('listening'), {
      what: 'the agent to listen',
    });
    if (!child.running) throw new Error(`Start an agent: ${child.output()}`);
    const socket = connect(path);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Agent(host, child, socket);
  }

  /** Carries out one operation; rejects with what went wrong on the host. */
  async call<Name extends Operation>(
    operation: Name,
    request: Operations[Name]['request'],
  ): Promise<Operations[Name]['answer']> {
    const id = this.#requests++;
    const line: Request = { id, operation, arguments: request };
    this.#socket.ref();
    this.#socket.write(`${JSON.stringify(line)}\n`);
    const answer = await new Promise<Answer>((resolve) => {
      this.#pending.set(id, resolve);
      void this.#child.ended.then(() =>
        resolve({ id, error: `it ended: ${this.#child.output()}` }),
      );
    });
    if (this.#pending.size === 0) this.#socket.unref();
    if (answer.error === undefined) return answer.result as Operations[Name]['answer'];
    throw new Error(`${operation} on host ${this.host.name}: ${answer.error}`);
  }

  /** {@link Operations.udpSend} with bytes. */
  async sendUdp(
    to: { readonly address: string; readonly port: number },
    payloads: readonly Uint8Array[],
    from: { readonly from?: string; readonly fromPort?: number } = {},
  ): Promise<void> {
    await this.call('udpSend', { ...to, ...from, payloads: payloads.map(base64) });
  }

  /** {@link Operations.inject} with bytes. */
  async inject(name: string, frames: readonly Uint8Array[], vnet = false): Promise<void> {
    await this.call('inject', { interface: name, frames: frames.map(base64), vnet });
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
