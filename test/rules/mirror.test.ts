import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { type SourceFile, sourceFiles } from '../support/source-files.ts';

const TUNNELS = 'test/integration/tunnel-matrix.test.ts';
const GROUPS = 'test/integration/multicast.test.ts';
const NAMES = 'test/integration/remote-names.test.ts';
const VLANS = 'test/integration/vlan.test.ts';
const OUTER = 'test/integration/outer-header.test.ts';
const UNDERLAY = 'test/integration/underlay-changes.test.ts';
const LINKS = 'test/integration/link.test.ts';
const SERVICE = 'test/integration/systemd.test.ts';

/**
 * Files with logic and without a test under their own name, and the test that runs them instead: the
 * composition root is threads, devices and sockets put together, which only a running daemon shows.
 */
const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  'src/daemon/daemon.ts': TUNNELS,
  'src/daemon/data-path.ts': TUNNELS,
  'src/daemon/egress.ts': TUNNELS,
  'src/daemon/egress-watch.ts': UNDERLAY,
  'src/daemon/endpoints.ts': TUNNELS,
  'src/daemon/fdb-pages.ts': 'test/platform/linux/huge-pages.test.ts',
  'src/daemon/forwarder.ts': TUNNELS,
  'src/daemon/forwarding-worker.ts': TUNNELS,
  'src/daemon/group-socket.ts': GROUPS,
  'src/daemon/heard-senders.ts': GROUPS,
  'src/daemon/housekeeping.ts': SERVICE,
  'src/daemon/inspector.ts': TUNNELS,
  'src/daemon/link-change.ts': LINKS,
  'src/daemon/link-report.ts': LINKS,
  'src/daemon/link-state.ts': GROUPS,
  'src/daemon/link-verbs.ts': LINKS,
  'src/daemon/main.ts': SERVICE,
  'src/daemon/system-resolver.ts': NAMES,
  'src/daemon/transmit-lanes.ts': TUNNELS,
  'src/daemon/transmit-pools.ts': OUTER,
  'src/daemon/remote-routes.ts': 'test/integration/path-mtu.test.ts',
  'src/daemon/tunnel-device.ts': TUNNELS,
  'src/daemon/tunnel-groups.ts': GROUPS,
  'src/daemon/tunnel-remotes.ts': NAMES,
  'src/daemon/tunnel-set.ts': TUNNELS,
  'src/daemon/underlay-remotes.ts': GROUPS,
  'src/daemon/vlan-tunnels.ts': VLANS,
  'src/daemon/worker-pool.ts': TUNNELS,
  'src/dataplane/group-table.ts': 'test/unit/dataplane/group-senders.test.ts',
};

const tests = ['unit', 'platform', 'integration'].flatMap((kind) => sourceFiles(`test/${kind}`));
const testPaths = new Set(tests.map(({ path }) => path));
const sources = sourceFiles('src');
const sourcePaths = new Set(sources.map(({ path }) => path));

/** True when a file decides anything: it has a function or method with a body. */
function hasLogic({ path, text }: SourceFile): boolean {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const search = (node: ts.Node): boolean =>
    (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) ||
    (ts.forEachChild(node, (child) => search(child) || undefined) ?? false);
  return search(tree);
}

describe('tests mirror sources', () => {
  it('has a test for every file with logic, under the same path', () => {
    const untested = sources.filter((source) => {
      const inside = source.path.replace(/^src\//, '').replace(/\.ts$/, '.test.ts');
      const mirrored = ['unit', 'platform'].some((kind) => testPaths.has(`test/${kind}/${inside}`));
      return !mirrored && hasLogic(source) && !(source.path in TESTED_ELSEWHERE);
    });
    expect(untested.map(({ path }) => path)).toEqual([]);
  });

  it('has a source for every unit test, under the same path', () => {
    const orphans = tests.filter(({ path }) => {
      if (!path.startsWith('test/unit/') || !path.endsWith('.test.ts')) return false;
      // table.test.ts and table-concurrency.test.ts both belong to table.ts.
      const parts = path.replace('test/unit/', 'src/').replace('.test.ts', '').split('-');
      return !parts.some((_, index) =>
        sourcePaths.has(`${parts.slice(0, index + 1).join('-')}.ts`),
      );
    });
    expect(orphans.map(({ path }) => path)).toEqual([]);
  });

  it('excuses only files that exist and lack a test, and names tests that exist', () => {
    const stale = Object.entries(TESTED_ELSEWHERE).filter(([path, test]) => {
      const inside = path.replace(/^src\//, '').replace(/\.ts$/, '.test.ts');
      const mirrored = ['unit', 'platform'].some((kind) => testPaths.has(`test/${kind}/${inside}`));
      return mirrored || !sourcePaths.has(path) || !testPaths.has(test);
    });
    expect(stale).toEqual([]);
  });
});
