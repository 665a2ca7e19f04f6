import type { IncomingMessage, ServerResponse } from 'node:http';
import { VtepError } from '../base/errors.ts';
import { STATE_DYNAMIC, STATE_PERMANENT, STATE_STATIC } from '../fdb/table.ts';
import {
  checkSourceVni,
  requireIp,
  requireMac,
  deviceFilter,
  requireTunnel,
} from '../vtep/fdb-request.ts';
import type { FdbStateWord } from '../vtep/fdb-request.ts';
import { withIndex } from '../vtep/fdb-batch.ts';
import type { FdbBatch } from '../vtep/fdb-batch.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { NeighbourVerbs } from '../vtep/neighbour-verbs.ts';
import { Slices } from '../vtep/fdb-slices.ts';
import type { TunnelDirectory } from '../vtep/tunnel-directory.ts';
import { formatMac } from '../wire/mac.ts';
import { sendJson, sendRows } from './answer.ts';
import {
  JSON_BODY_BYTES_MAX,
  LINES_BODY_BYTES_MAX,
  parseJson,
  readJson,
  readLines,
  SMALL_BODY_BYTES_MAX,
} from './body.ts';
import type { Links } from './link-protocol.ts';
import { changeLinks, showLinks } from './link-routes.ts';
import { changeNeighbours, flushNeighbours, showNeighbours } from './neighbour-routes.ts';
import { API_VERSION, NDJSON } from './protocol.ts';
import type { ChangeReport, FlushReport, Inspector, VersionReport } from './protocol.ts';
import {
  CHANGE_QUERY,
  CHANGE_REQUEST,
  EMPTY_QUERY,
  ENTRY_QUERY,
  FDB_REQUEST,
  FLUSH_REQUEST,
  parse,
  SHOW_QUERY,
  TUNNELS_QUERY,
} from './schemas.ts';

/** What the routes answer from. */
export interface ApiServices {
  readonly verbs: FdbVerbs;
  readonly neighbours: NeighbourVerbs;
  readonly tunnels: TunnelDirectory;
  readonly inspector: Inspector;
  readonly links: Links;
}

interface Exchange extends ApiServices {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The query's parameters, each at most once. */
  readonly query: Readonly<Record<string, string>>;
}

type Handler = (exchange: Exchange) => Promise<void>;

const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  [`/${API_VERSION}/version`]: { GET: version },
  [`/${API_VERSION}/tunnels`]: { GET: tunnels },
  [`/${API_VERSION}/links`]: { GET: showLinks, POST: changeLinks },
  [`/${API_VERSION}/fdb`]: { GET: show, POST: change },
  [`/${API_VERSION}/fdb/entry`]: { GET: entry },
  [`/${API_VERSION}/fdb/flush`]: { POST: flush },
  [`/${API_VERSION}/neigh`]: { GET: showNeighbours, POST: changeNeighbours },
  [`/${API_VERSION}/neigh/flush`]: { POST: flushNeighbours },
};

const STATES: Readonly<Record<FdbStateWord, number>> = {
  dynamic: STATE_DYNAMIC,
  static: STATE_STATIC,
  permanent: STATE_PERMANENT,
};

/** Answers one request; throws the VtepError that the caller turns into an answer. */
export async function route(
  services: ApiServices,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path, search] = splitTarget(request.url ?? '/');
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path]! : undefined;
  if (methods === undefined) {
    throw new VtepError('ERR_NOT_FOUND', `Cannot find "${path.slice(0, 200)}"`, {
      hint: `paths: ${Object.keys(ROUTES).join(', ')}`,
    });
  }
  const method = request.method ?? '';
  const handler = Object.hasOwn(methods, method) ? methods[method]! : undefined;
  if (handler === undefined) {
    throw new VtepError('ERR_USAGE', `Cannot ${method} "${path}"`, {
      hint: `methods: ${Object.keys(methods).join(', ')}`,
    });
  }
  await handler({ ...services, request, response, query: parseQuery(search) });
}

async function version({ inspector, response, query }: Exchange): Promise<void> {
  parse(EMPTY_QUERY, query, 'the query');
  const report: VersionReport = {
    name: 'vtepd',
    version: inspector.daemon().version,
    api: API_VERSION,
  };
  sendJson(response, report);
}

async function tunnels(exchange: Exchange): Promise<void> {
  const { dev } = parse(TUNNELS_QUERY, exchange.query, 'the query');
  if (dev !== undefined) requireTunnel(exchange.tunnels, dev);
  const { inspector, response } = exchange;
  const reports = await inspector.tunnels();
  sendJson(response, {
    daemon: inspector.daemon(),
    tunnels: dev === undefined ? reports : reports.filter(({ ifname }) => ifname === dev),
  });
}

async function show(exchange: Exchange): Promise<void> {
  const query = parse(SHOW_QUERY, exchange.query, 'the query');
  const { dev, mac, dst, vlan, port, vni, state } = query;
  if (vlan !== undefined && dev === undefined) {
    throw new VtepError('ERR_USAGE', `Cannot show VLAN ${vlan} without a device`, {
      hint: 'name the device too: dev NAME',
    });
  }
  const filter = {
    ...(dev === undefined ? {} : deviceFilter(exchange.tunnels, dev, vlan)),
    mac: mac === undefined ? undefined : requireMac(mac),
    dst: dst === undefined ? undefined : requireIp(dst, 'dst'),
    port,
    vni,
    states: state === undefined ? undefined : new Set([STATES[state]]),
  };
  await sendRows(exchange.response, exchange.verbs.rows(filter, query.statistics ?? false));
}

async function entry(exchange: Exchange): Promise<void> {
  const query = parse(ENTRY_QUERY, exchange.query, 'the query');
  const tunnel = requireTunnel(exchange.tunnels, query.dev, query.vlan);
  checkSourceVni(tunnel, query.vni);
  const { high, low } = requireMac(query.mac);
  const rows = exchange.verbs.find(tunnel, high, low, query.statistics ?? false);
  if (rows.length === 0) {
    throw new VtepError(
      'ERR_NOT_FOUND',
      `Cannot find "${formatMac(high, low)}" on "${tunnel.name}"`,
      { hint: 'list the entries with: vtep fdb show' },
    );
  }
  await sendRows(exchange.response, [rows]);
}

async function change(exchange: Exchange): Promise<void> {
  const lines = (exchange.request.headers['content-type'] ?? '').startsWith(NDJSON);
  const batch = lines ? await readChangeLines(exchange) : await readChange(exchange);
  await exchange.verbs.apply(batch);
  const report: ChangeReport = { applied: batch.length };
  sendJson(exchange.response, report);
}

async function readChange({ request, query, verbs }: Exchange): Promise<FdbBatch> {
  parse(EMPTY_QUERY, query, 'the query');
  const body = await readJson(request, JSON_BODY_BYTES_MAX);
  const { verb, entries } = parse(CHANGE_REQUEST, body, 'the request');
  const batch = verbs.batch(verb);
  const slices = new Slices();
  for (const [index, value] of entries.entries()) {
    if (slices.due(index)) await slices.pause();
    push(batch, value);
  }
  return batch;
}

async function readChangeLines({ request, query, verbs }: Exchange): Promise<FdbBatch> {
  const { verb } = parse(CHANGE_QUERY, query, 'the query');
  const batch = verbs.batch(verb);
  for await (const line of readLines(request, LINES_BODY_BYTES_MAX)) {
    try {
      push(batch, parseJson(line, 'the entry'));
    } catch (error) {
      throw withIndex(error, batch.length);
    }
  }
  return batch;
}

function push(batch: FdbBatch, value: unknown): void {
  let request;
  try {
    request = parse(FDB_REQUEST, value, 'the entry');
  } catch (error) {
    throw withIndex(error, batch.length);
  }
  batch.push({ ...request, srcVni: request.src_vni });
}

async function flush(exchange: Exchange): Promise<void> {
  parse(EMPTY_QUERY, exchange.query, 'the query');
  const body = await readJson(exchange.request, SMALL_BODY_BYTES_MAX);
  const request = parse(FLUSH_REQUEST, body, 'the request');
  const { mac, dst, port, vni, states } = request;
  const device = deviceFilter(exchange.tunnels, request.dev, request.vlan);
  checkSourceVni(device.tunnel, request.src_vni);
  const removed = await exchange.verbs.flush({
    ...device,
    mac: mac === undefined ? undefined : requireMac(mac),
    dst: dst === undefined ? undefined : requireIp(dst, 'dst'),
    port,
    vni,
    states: states === undefined ? undefined : new Set(states.map((state) => STATES[state])),
  });
  const report: FlushReport = { removed };
  sendJson(exchange.response, report);
}

function splitTarget(target: string): readonly [path: string, search: string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function parseQuery(search: string): Record<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (query.has(name)) {
      throw new VtepError('ERR_USAGE', `Cannot read the query: "${name}" is given twice`);
    }
    query.set(name, value);
  }
  return Object.fromEntries(query);
}
