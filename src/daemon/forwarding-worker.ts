/** Entry of a forwarding worker thread: takes commands from the main thread, gives signs of life. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicSeconds } from '../base/clock.ts';
import { attachTables } from '../dataplane/shared-tables.ts';
import { NO_TUNNEL } from '../dataplane/vni-map.ts';
import { Forwarder } from './forwarder.ts';
import type {
  WorkerCommand,
  WorkerMessage,
  WorkerOptions,
  WorkerRequest,
} from './worker-protocol.ts';

/** The coarse clock that ageing counts by, and the heartbeat that the watchdog looks at. */
const TICK_MS = 250;
const TICKS_PER_DRAIN = 4;
/**
 * The kernel's device forwards in softirqs, ahead of every process; these threads come as close to that as
 * a process may. Of this thread only: the main thread takes its turn with everybody else.
 */
const NICE = -10;

const port = parentPort!;
const options = workerData as WorkerOptions;
const heartbeat = new Int32Array(options.heartbeat);
const forwarder = new Forwarder(options, attachTables(options.memory), {
  lost: (what, index, errno) => tell({ type: 'lost', what, index, errno }),
  fault: (error) => tell({ type: 'fault', message: describe(error) }),
});

try {
  setPriority(NICE);
} catch {
  // Without the right to (see LimitNICE in the unit) it forwards like any other process.
}

let ticks = 0;
const timer = setInterval(() => {
  forwarder.tick();
  Atomics.store(heartbeat, options.worker, monotonicSeconds());
  ticks += 1;
  if (ticks % TICKS_PER_DRAIN === 0) forwarder.drainErrors();
}, TICK_MS);
Atomics.store(heartbeat, options.worker, monotonicSeconds());

port.on('message', (request: WorkerRequest) => {
  obey(request.command).then(
    () => tell({ type: 'done', id: request.id }),
    (error: unknown) => tell({ type: 'done', id: request.id, error: describe(error) }),
  );
});

async function obey(command: WorkerCommand): Promise<void> {
  switch (command.type) {
    case 'open-endpoint':
      return forwarder.openEndpoint(command);
    case 'listen':
      return forwarder.listen(command.endpoint);
    case 'attach-vni':
      return forwarder.attachVni(command.endpoint, command.vni, command.tunnel);
    case 'detach-vni':
      return forwarder.attachVni(command.endpoint, command.vni, NO_TUNNEL);
    case 'close-endpoint':
      return forwarder.closeEndpoint(command.endpoint);
    case 'open-pool':
      return forwarder.lanes.open(command);
    case 'close-pool':
      return forwarder.lanes.close(command.pool);
    case 'open-tunnel':
      return forwarder.openTunnel(command);
    case 'close-tunnel':
      return forwarder.closeTunnel(command.tunnel);
    case 'stop':
      clearInterval(timer);
      forwarder.stop();
      // The answer leaves before the port closes, and with the port the thread ends.
      setImmediate(() => port.close());
  }
}

function tell(message: WorkerMessage): void {
  port.postMessage(message);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
