/** A service manager's end of sd_notify: a unix datagram socket, which node:net does not have. */
import { errnoName } from '../../src/linux/errno.ts';
import { lastErrno, libc } from '../../src/linux/libc.ts';
import { AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from '../../src/linux/uapi.ts';

const MESSAGE_BYTES_MAX = 4096;

export class NotifySocket {
  readonly path: string;
  readonly #fd: number;
  readonly #messages: string[] = [];

  /** Binds to `path`, which must be free; {@link close} it. */
  constructor(path: string) {
    this.path = path;
    this.#fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // struct sockaddr_un: family (16 bits), path, zero.
    const address = Buffer.alloc(2 + Buffer.byteLength(path) + 1);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(path, 2);
    if (libc.bind(this.#fd, address, address.length) < 0) {
      const errno = errnoName(lastErrno());
      libc.close(this.#fd);
      throw new Error(`Bind "${path}": ${errno}`);
    }
  }

  /** Everything that was sent so far, a datagram each, in order. */
  messages(): readonly string[] {
    const buffer = Buffer.alloc(MESSAGE_BYTES_MAX);
    for (;;) {
      const length = libc.recv(this.#fd, buffer, buffer.length, MSG_DONTWAIT);
      if (length < 0) return this.#messages;
      this.#messages.push(buffer.toString('utf8', 0, length));
    }
  }

  close(): void {
    libc.close(this.#fd);
  }
}
