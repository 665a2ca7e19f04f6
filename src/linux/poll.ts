/** Readiness of a descriptor on the event loop of the calling thread. */
import koffi from 'koffi';

/** Keep it referenced: a watch that is collected falls silent. */
export interface Watch {
  close(): void;
}

/**
 * Calls `onReadable` whenever `fd` has something to read, level-triggered.
 *
 * `onError` is called when the descriptor reports an error (a TAP whose device is gone, say): libuv tells
 * it once and then stays silent, so that the caller has to close the watch, and open a new one if the
 * descriptor still serves.
 */
export function watchReadable(fd: number, onReadable: () => void, onError: () => void): Watch {
  // koffi calls back with a status, which its own type leaves out.
  const callback = (status: number): void => {
    if (status < 0) onError();
    else onReadable();
  };
  return koffi.node.poll(fd, { readable: true }, callback as unknown as () => void);
}
