import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { asVtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { sendError } from './answer.ts';
import { route } from './routes.ts';
import type { ApiServices } from './routes.ts';
import { listenOnSocket } from './socket-file.ts';

const CONNECTIONS_MAX = 128;
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** A client that neither sends nor reads for so long is cut off; {@link sendRows} has more patience. */
const IDLE_TIMEOUT_MS = 60_000;
/** How long requests that have begun may go on once the server closes. */
const CLOSE_GRACE_MS = 1_000;

export interface ApiServerOptions extends ApiServices {
  readonly socketPath: string;
  readonly log: Logger;
}

/** The daemon's HTTP server on its unix socket. Main thread only; forwarding never waits for it. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #server: Server;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: HEADERS_TIMEOUT_MS,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.timeout = IDLE_TIMEOUT_MS;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      refuse(error, socket as Socket);
    });
  }

  /** Starts to listen; see {@link listenOnSocket} for what it makes and when it throws. */
  async listen(): Promise<void> {
    await listenOnSocket(this.#server, this.#options.socketPath);
  }

  /** Stops listening and removes the socket; requests that have begun get a second to end. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const cutOff = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    clearTimeout(cutOff);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await route(this.#options, request, response);
    } catch (thrown) {
      const error = asVtepError(thrown);
      if (request.errored !== null || response.destroyed) return;
      if (error.code === 'ERR_INTERNAL') {
        const stack = thrown instanceof Error ? thrown.stack : undefined;
        this.#options.log.error('api-bug', { url: request.url, message: error.message, stack });
      }
      sendError(response, error);
      // Lets a client that is still sending its body get to reading the answer.
      request.resume();
    }
  }
}

/** What is not HTTP, or too slow, gets a status line and is cut off. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const message = `Cannot parse the request: ${error.message}`;
  const body = `${JSON.stringify({ error: { code: 'ERR_USAGE', message } })}\n`;
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
