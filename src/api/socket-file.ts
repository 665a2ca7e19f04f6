import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { VtepError } from '../base/errors.ts';
import { SOCKET_PATH_MAX } from '../config/config.ts';

const SOCKET_MODE = 0o660;
const UMASK_FOR_SOCKET_MODE = 0o117;
const DIRECTORY_MODE = 0o750;
const PROBE_TIMEOUT_MS = 2000;

/**
 * Lets `server` listen on the unix socket `path`, mode 0660. A missing directory is made with mode 0750, an
 * existing one is left as it is; a stale socket is replaced.
 *
 * Throws ERR_SYSCALL when somebody answers on the socket or something that is no socket has its name,
 * ERR_PERMISSION when the file system says no.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_MAX) {
    throw new VtepError('ERR_USAGE', `Cannot listen on "${path}": the path is too long`, {
      hint: `the kernel takes at most ${SOCKET_PATH_MAX} bytes; choose a shorter path with --socket`,
    });
  }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    await removeStale(path);
    await listen(server, path);
    chmodSync(path, SOCKET_MODE);
  } catch (error) {
    throw describe(error, path);
  }
}

/** Removes a socket on which nobody answers; throws when somebody does. */
async function removeStale(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new VtepError(
      'ERR_SYSCALL',
      `Cannot listen on "${path}": a file of this name is no socket`,
      {
        hint: 'remove the file, or choose another path with --socket',
      },
    );
  }
  if (await isAnswered(path)) {
    throw new VtepError('ERR_SYSCALL', `Cannot listen on "${path}": another vtepd answers there`, {
      hint: 'stop the other daemon, or choose another path with --socket',
    });
  }
  unlinkSync(path);
}

/** A connection that is neither taken nor refused in time counts as answered: somebody holds the socket. */
async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    const finish = (answered: boolean) => {
      probe.destroy();
      resolve(answered);
    };
    probe.setTimeout(PROBE_TIMEOUT_MS, () => finish(true));
    probe.once('connect', () => finish(true));
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') finish(false);
      else if (error.code === 'EAGAIN') finish(true);
      else reject(error);
    });
  });
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The socket is bound inside the call: nobody can connect before its mode is right.
    const before = process.umask(UMASK_FOR_SOCKET_MODE);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

function describe(error: unknown, path: string): VtepError {
  if (error instanceof VtepError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  const what = `Cannot listen on "${path}": ${syscall ?? 'listen'}: ${code ?? String(error)}`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const choose = 'choose a path you may write with --socket';
    // Not even root may write to what is mounted read-only.
    const hint = code === 'EROFS' ? choose : `run as root, or ${choose}`;
    return new VtepError('ERR_PERMISSION', what, { cause: error, hint });
  }
  return new VtepError('ERR_SYSCALL', what, {
    cause: error,
    hint: 'choose another path with --socket',
  });
}
