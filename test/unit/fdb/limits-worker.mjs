/**
 * One of the threads of learn-limits-concurrency.test.ts: learns keys from remotes as fast as it can until told to
 * stop. Runs the compiled table, as worker threads do in the daemon.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { folder, memory, control, id, tunnels, keys, remoteRows } = workerData;
const { FdbRows } = await import(join(folder, 'rows.js'));
const { RemoteRows } = await import(join(folder, 'remote-rows.js'));
const { LearnLimits } = await import(join(folder, 'learn-limits.js'));
const { MacMoves } = await import(join(folder, 'mac-moves.js'));

const remotes = new RemoteRows(memory.remotes);
const limits = new LearnLimits(tunnels, remotes, memory.limits);
const moves = new MacMoves(tunnels, 0, remotes, memory.moves);
const rows = new FdbRows(memory.fdb, { limits, moves });
const flags = new Int32Array(control);
const answers = new Array(8).fill(0);
let state = id * 7919 + 1;

function random(below) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

Atomics.add(flags, 1, 1);
while (Atomics.load(flags, 0) === 0);
while (Atomics.load(flags, 0) === 1) {
  for (let round = 0; round < 200; round += 1) {
    const remote = random(remoteRows);
    const answer = rows.learn(42 + remotes.tunnel(remote), 0x0200, random(keys), remote, 1);
    answers[answer] += 1;
  }
}
parentPort.postMessage(answers);
