import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { type SourceFile, sourceFiles } from '../support/source-files.ts';

/** Files with logic and without a test under their own name, and where they are tested instead. */
const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {};

const tests = ['unit', 'platform', 'fuzz'].flatMap((kind) => sourceFiles(`test/${kind}`));
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

  it('excuses only files that exist and lack a test', () => {
    const stale = Object.keys(TESTED_ELSEWHERE).filter((path) => {
      const inside = path.replace(/^src\//, '').replace(/\.ts$/, '.test.ts');
      return !sourcePaths.has(path) || testPaths.has(`test/unit/${inside}`);
    });
    expect(stale).toEqual([]);
  });
});
