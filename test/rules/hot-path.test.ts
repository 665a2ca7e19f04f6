import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { type SourceFile, sourceFiles } from '../support/source-files.ts';

const MARK = '// Hot path: no allocation, no throw, no await.';

/** Files that see every frame: each must carry the mark, so that the rule cannot be left by accident. */
const MUST_BE_MARKED = [
  'src/dataplane/coalesce.ts',
  'src/dataplane/counters.ts',
  'src/dataplane/flow-hash.ts',
  'src/dataplane/inherited-header.ts',
  'src/dataplane/mss-clamp.ts',
  'src/dataplane/neighbour-learner.ts',
  'src/dataplane/neighbour-suppressor.ts',
  'src/dataplane/outer-header.ts',
  'src/dataplane/outer-table.ts',
  'src/dataplane/path-limit.ts',
  'src/dataplane/path-mtu.ts',
  'src/dataplane/learner.ts',
  'src/dataplane/policers.ts',
  'src/dataplane/receive.ts',
  'src/dataplane/segment.ts',
  'src/dataplane/storm-control.ts',
  'src/dataplane/strangers.ts',
  'src/dataplane/transmit-results.ts',
  'src/dataplane/transmit.ts',
  'src/dataplane/vlan-frames.ts',
  'src/fdb/chains.ts',
  'src/fdb/hash.ts',
  'src/fdb/learn-limits.ts',
  'src/fdb/mac-moves.ts',
  'src/fdb/remote-rows.ts',
  'src/fdb/rows.ts',
  'src/linux/fast-receiver.ts',
  'src/linux/fast-sender.ts',
  'src/linux/message-stage.ts',
  'src/linux/tap-queue.ts',
  'src/packet/delivery-plan.ts',
  'src/packet/transmit-plan.ts',
  'src/wire/checksum.ts',
  'src/wire/ecn.ts',
  'src/wire/virtio-net.ts',
  'src/wire/vxlan.ts',
];

const FORBIDDEN = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.NewExpression, 'new'],
  [ts.SyntaxKind.ThrowStatement, 'throw'],
  [ts.SyntaxKind.AsyncKeyword, 'async'],
  [ts.SyntaxKind.AwaitExpression, 'await'],
  [ts.SyntaxKind.YieldExpression, 'yield'],
  [ts.SyntaxKind.ArrowFunction, '=>'],
  [ts.SyntaxKind.FunctionExpression, 'a function made at run time'],
  [ts.SyntaxKind.SpreadElement, '...'],
  [ts.SyntaxKind.SpreadAssignment, '...'],
  [ts.SyntaxKind.ForOfStatement, 'for…of'],
  [ts.SyntaxKind.ForInStatement, 'for…in'],
  [ts.SyntaxKind.BigIntLiteral, 'a bigint'],
  [ts.SyntaxKind.TemplateExpression, 'a template string'],
  [ts.SyntaxKind.ObjectLiteralExpression, 'an object made at run time'],
  [ts.SyntaxKind.ArrayLiteralExpression, 'an array made at run time'],
]);

/**
 * Constructs in a marked file that cost an allocation or end in an exception, as `path:line what`.
 * What runs once is free: constructors, static factories, and the top level of the module.
 */
function violations({ path, text }: SourceFile): string[] {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node, hot: boolean): void => {
    if (runsOnce(node)) return;
    const what = FORBIDDEN.get(node.kind);
    if (hot && what !== undefined) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
      found.push(`${path}:${line + 1} ${what}`);
    }
    const inside = hot || ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node);
    ts.forEachChild(node, (child) => visit(child, inside || ts.isArrowFunction(node)));
  };
  visit(tree, false);
  return found;
}

function runsOnce(node: ts.Node): boolean {
  if (ts.isConstructorDeclaration(node) || ts.isPropertyDeclaration(node)) return true;
  if (!ts.isMethodDeclaration(node)) return false;
  return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) ?? false;
}

const marked = sourceFiles('src').filter(({ text }) => text.startsWith(MARK));

describe('the hot path', () => {
  it('is marked in the first line of every file that sees each frame', () => {
    const paths = marked.map(({ path }) => path);
    expect(MUST_BE_MARKED.filter((path) => !paths.includes(path))).toEqual([]);
  });

  it('allocates nothing, throws nothing, awaits nothing', () => {
    expect(marked.flatMap(violations)).toEqual([]);
  });

  it('would be caught breaking the rule', () => {
    const text = `${MARK}
      export const TABLE = new Uint8Array([1, 2, 3]);
      export class Fine { readonly #a = [0]; constructor() { this.b = new Map(); } b: object;
        static create(): Fine { return new Fine(); } }
      export function f(a: number[]): void {
        for (const x of a) { g([...a], () => x); }
        throw new Error('no');
      }`;
    const found = violations({ path: 'x.ts', text }).map((line) => line.replace('x.ts:', ''));
    const inLoop = ['6 for…of', '6 an array made at run time', '6 ...', '6 =>'];
    expect(found).toEqual([...inLoop, '7 throw', '7 new']);
  });
});
