import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../../src/api/client.ts';
import type { LinkReport, LinkRequest, Links } from '../../../src/api/link-protocol.ts';
import type { DaemonReport, TunnelReport } from '../../../src/api/protocol.ts';
import { ApiServer } from '../../../src/api/server.ts';
import { VtepError } from '../../../src/base/errors.ts';
import { NeighbourTable } from '../../../src/fdb/neighbours.ts';
import { NeighbourVerbs } from '../../../src/vtep/neighbour-verbs.ts';
import { FdbFixture } from '../vtep/fdb-fixture.ts';

export const DAEMON: DaemonReport = {
  version: '1.2.3',
  pid: 4711,
  node: 'v20.19.2',
  uptimeSeconds: 3661,
  workers: 2,
  drops: { 'unknown-vni': 3 },
};

export const TUNNEL: TunnelReport = {
  ifname: 'vx42',
  ifindex: 10,
  configured: true,
  vni: 42,
  local: '192.168.120.10',
  port: 4789,
  mtu: 1450,
  mac: '02:00:00:00:00:0a',
  learning: true,
  ageing: 300,
  offload: {
    configured: 'auto',
    checksum: 'on',
    tso: 'on',
    uso: 'off',
    gso: 'off after a failure',
    gro: 'on',
  },
  outer: {
    ttl: 'auto',
    tos: 0,
    df: 'set',
    fragment: false,
    label: 'auto',
    udp_csum: true,
    udp_zero_csum6_tx: false,
    udp_zero_csum6_rx: false,
    reserved_bits: 'ignore',
  },
  underlay: 'fast',
  remotes: [
    {
      dst: '192.168.120.20',
      configured: true,
      flood: true,
      learned: 2,
      tx: { packets: 2, bytes: 2048 },
      rx: { packets: 1, bytes: 100 },
    },
  ],
  fdb: { learned: 2, static: 1, frozen: 0 },
  neigh: { suppress: true, answered: 7, learned: 3, dynamic: 2 },
  safety: {
    limit: 65536,
    remoteLimit: 16384,
    notLearned: 0,
    moved: 3,
    macMoves: 5,
    macMoveWindow: 180,
    macFreeze: 600,
    anyRemote: false,
    floodUnknown: true,
  },
  tx: { packets: 2, bytes: 2048 },
  rx: { packets: 1, bytes: 100 },
  drops: { mtu: 0, 'source-mac': 5 },
};

/** Notes what it is asked for; knows one link, vx42. */
export class FakeLinks implements Links {
  readonly requests: LinkRequest[] = [];

  show(name: string | undefined): LinkReport[] {
    if (name === undefined || name === LINK.ifname) return [LINK];
    throw new VtepError('ERR_NOT_FOUND', `Cannot find device "${name}"`);
  }

  async apply(request: LinkRequest): Promise<void> {
    this.requests.push(request);
    const index = request.links.findIndex(({ name }) => name === 'taken');
    if (index < 0) return Promise.resolve();
    throw new VtepError('ERR_EXISTS', 'Cannot add "taken": it exists already', { index });
  }
}

export const LINK: LinkReport = {
  ifindex: 10,
  ifname: 'vx42',
  flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
  mtu: 1450,
  qdisc: 'noqueue',
  operstate: 'UNKNOWN',
  linkmode: 'DEFAULT',
  group: 'default',
  txqlen: 1000,
  link_type: 'ether',
  address: '02:00:00:00:00:0a',
  broadcast: 'ff:ff:ff:ff:ff:ff',
  min_mtu: 68,
  max_mtu: 65521,
  linkinfo: {
    info_kind: 'vxlan',
    info_data: {
      id: 42,
      remote: '192.168.120.20',
      local: '192.168.120.10',
      port_range: { low: 49152, high: 65535 },
      port: 4789,
      learning: true,
      ttl: 0,
      df: 'set',
      ageing: 300,
      udp_csum: true,
      udp_zero_csum6_tx: false,
      udp_zero_csum6_rx: false,
    },
  },
  configured: false,
  remotes: ['192.168.120.20', '192.168.120.30'],
};

/** A server on a socket of its own over real tables. */
export class ApiFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'vtep-api-'));
  readonly socketPath = join(this.directory, 'run', 'vtepd.sock');
  readonly fdb: FdbFixture;
  readonly neighbours = NeighbourTable.create(64, 8, 1);
  readonly neighbourVerbs: NeighbourVerbs;
  readonly server: ApiServer;
  readonly client = new ApiClient(this.socketPath, 10_000);
  readonly links = new FakeLinks();
  /** What the server logged. */
  readonly logged: string[] = [];

  constructor(capacity?: number) {
    this.fdb = new FdbFixture(capacity);
    const note = (event: string) => void this.logged.push(event);
    this.neighbourVerbs = new NeighbourVerbs({
      table: this.neighbours,
      tunnels: this.fdb.directory,
      nowSeconds: () => 1000,
    });
    this.server = new ApiServer({
      socketPath: this.socketPath,
      verbs: this.fdb.verbs,
      neighbours: this.neighbourVerbs,
      tunnels: this.fdb.directory,
      inspector: {
        tunnels: () => [TUNNEL, { ...TUNNEL, ifname: 'vx43' }],
        daemon: () => DAEMON,
      },
      links: this.links,
      log: { debug: note, info: note, warn: note, error: note, notice: note },
    });
  }

  /** What curl would do. */
  async call(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string; json: unknown }> {
    const { socketPath } = this;
    const request = httpRequest({ socketPath, method, path, agent: false, headers });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part as string;
    return { status: response.statusCode!, text, json: JSON.parse(text) };
  }

  async close(): Promise<void> {
    await this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
