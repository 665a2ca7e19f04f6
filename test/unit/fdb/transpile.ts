import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

import { repositoryRoot } from '../../support/paths.ts';
import { sourceFiles } from '../../support/source-files.ts';

/**
 * JavaScript of the FDB and what it imports, for threads that a test starts: those cannot load
 * TypeScript. Made from the sources as they are now, in a temporary folder; `close` removes it.
 */
export function transpileFdb(): { folder: string; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'vtepd-fdb-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(repositoryRoot(), 'node_modules'), join(folder, 'node_modules'));
  for (const { path } of ['src/base', 'src/wire', 'src/fdb'].flatMap(sourceFiles)) {
    const target = join(folder, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const { outputText } = ts.transpileModule(readFileSync(join(repositoryRoot(), path), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(target, outputText);
  }
  return { folder, close: () => rmSync(folder, { recursive: true }) };
}
