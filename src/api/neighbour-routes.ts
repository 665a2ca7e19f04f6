/** What `/v1/neigh` answers: the table of neighbours, in the keys of `ip -j neigh`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireIp, requireMac, requireTunnel } from '../vtep/fdb-request.ts';
import { withIndex } from '../vtep/fdb-batch.ts';
import type { NeighbourRequest, NeighbourVerb } from '../vtep/neighbour-request.ts';
import type { NeighbourFilter, NeighbourVerbs } from '../vtep/neighbour-verbs.ts';
import type { TunnelDirectory } from '../vtep/tunnel-directory.ts';
import { sendJson, sendRows } from './answer.ts';
import {
  JSON_BODY_BYTES_MAX,
  LINES_BODY_BYTES_MAX,
  parseJson,
  readJson,
  readLines,
  SMALL_BODY_BYTES_MAX,
} from './body.ts';
import {
  NEIGHBOUR_CHANGE_QUERY,
  NEIGHBOUR_CHANGE_REQUEST,
  NEIGHBOUR_FLUSH_REQUEST,
  NEIGHBOUR_REQUEST,
  NEIGHBOUR_SHOW_QUERY,
} from './neighbour-schemas.ts';
import { NDJSON } from './protocol.ts';
import type { ChangeReport, FlushReport } from './protocol.ts';
import { EMPTY_QUERY, parse } from './schemas.ts';

/** What a neighbour route works on; a part of what every route has. */
export interface NeighbourExchange {
  readonly neighbours: NeighbourVerbs;
  readonly tunnels: TunnelDirectory;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: Readonly<Record<string, string>>;
}

/** `GET /v1/neigh`. */
export async function showNeighbours(exchange: NeighbourExchange): Promise<void> {
  const query = parse(NEIGHBOUR_SHOW_QUERY, exchange.query, 'the query');
  const { state, statistics } = query;
  const filter = {
    ...filterOf(exchange.tunnels, query),
    states: state === undefined ? undefined : new Set([state]),
  };
  await sendRows(exchange.response, exchange.neighbours.rows(filter, statistics ?? false));
}

/** `POST /v1/neigh`, as one document or line by line. */
export async function changeNeighbours(exchange: NeighbourExchange): Promise<void> {
  const lines = (exchange.request.headers['content-type'] ?? '').startsWith(NDJSON);
  const { verb, values } = lines ? await readChangeLines(exchange) : await readChange(exchange);
  const requests = values.map((value, index): NeighbourRequest => {
    try {
      return parse(NEIGHBOUR_REQUEST, value, 'the entry');
    } catch (error) {
      throw withIndex(error, index);
    }
  });
  exchange.neighbours.change(verb, requests);
  const report: ChangeReport = { applied: requests.length };
  sendJson(exchange.response, report);
}

/** `POST /v1/neigh/flush`. */
export async function flushNeighbours(exchange: NeighbourExchange): Promise<void> {
  parse(EMPTY_QUERY, exchange.query, 'the query');
  const body = await readJson(exchange.request, SMALL_BODY_BYTES_MAX);
  const request = parse(NEIGHBOUR_FLUSH_REQUEST, body, 'the request');
  const removed = exchange.neighbours.flush({
    ...filterOf(exchange.tunnels, request),
    states: request.states === undefined ? undefined : new Set(request.states),
  });
  const report: FlushReport = { removed };
  sendJson(exchange.response, report);
}

interface Change {
  readonly verb: NeighbourVerb;
  readonly values: readonly unknown[];
}

async function readChange({ request, query }: NeighbourExchange): Promise<Change> {
  parse(EMPTY_QUERY, query, 'the query');
  const body = await readJson(request, JSON_BODY_BYTES_MAX);
  const { verb, entries } = parse(NEIGHBOUR_CHANGE_REQUEST, body, 'the request');
  return { verb, values: entries };
}

async function readChangeLines({ request, query }: NeighbourExchange): Promise<Change> {
  const { verb } = parse(NEIGHBOUR_CHANGE_QUERY, query, 'the query');
  const values: unknown[] = [];
  for await (const line of readLines(request, LINES_BODY_BYTES_MAX)) {
    try {
      values.push(parseJson(line, 'the entry'));
    } catch (error) {
      throw withIndex(error, values.length);
    }
  }
  return { verb, values };
}

function filterOf(
  tunnels: TunnelDirectory,
  words: { dev?: string | undefined; dst?: string | undefined; lladdr?: string | undefined },
): NeighbourFilter {
  const { dev, dst, lladdr } = words;
  return {
    tunnel: dev === undefined ? undefined : requireTunnel(tunnels, dev),
    address: dst === undefined ? undefined : requireIp(dst, 'dst'),
    mac: lladdr === undefined ? undefined : requireMac(lladdr),
  };
}
