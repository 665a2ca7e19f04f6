import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../../src/api/client.ts';
import type { DaemonReport, TunnelReport } from '../../../src/api/protocol.ts';
import { ApiServer } from '../../../src/api/server.ts';
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
  underlay: 'fast',
  remotes: [
    {
      dst: '192.168.120.20',
      configured: true,
      flood: true,
      tx: { packets: 2, bytes: 2048 },
      rx: { packets: 1, bytes: 100 },
    },
  ],
  fdb: { learned: 2, static: 1 },
  neigh: { suppress: true, answered: 7, learned: 3, dynamic: 2 },
  tx: { packets: 2, bytes: 2048 },
  rx: { packets: 1, bytes: 100 },
  drops: { mtu: 0, 'source-mac': 5 },
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
