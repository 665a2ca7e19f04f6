import { dirname, join, normalize } from 'node:path';

import { describe, expect, it } from 'vitest';

import { sourceFiles } from '../support/source-files.ts';

/** What each folder of src/ may import besides itself: downwards only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: [],
  packet: ['base'],
  fdb: ['base', 'wire'],
  linux: ['base', 'packet', 'wire'],
  dataplane: ['base', 'wire', 'packet', 'fdb'],
  vtep: ['base', 'wire', 'packet', 'fdb', 'dataplane'],
  control: ['base', 'wire', 'fdb'],
  config: ['base', 'wire'],
  api: ['base', 'wire', 'fdb', 'dataplane', 'vtep', 'config'],
  cli: ['base', 'wire', 'config', 'api'],
  daemon: [
    ...['base', 'wire', 'packet', 'fdb', 'linux', 'dataplane', 'vtep', 'control', 'config'],
    'api',
  ],
};

/** Modules that only one folder may use. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  koffi: ['linux'],
  'node:dgram': ['linux'],
  'node:child_process': [],
  'node:worker_threads': ['daemon'],
};

const files = sourceFiles('src');
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|^import\s+)['"]([^'"]+)['"]/gm;

const imports = files.flatMap(({ path, text }) =>
  [...text.matchAll(IMPORT)].map((match) => ({ path, folder: folderOf(path), name: match[1]! })),
);

function folderOf(path: string): string {
  return path.split('/')[1]!;
}

describe('the import rule', () => {
  it('knows every folder of src/', () => {
    const unknown = files.filter(({ path }) => !(folderOf(path) in MAY_IMPORT));
    expect(unknown.map(({ path }) => path)).toEqual([]);
    expect(imports.length).toBeGreaterThan(20);
  });

  it('lets imports point downwards only', () => {
    const wrong = imports.filter(({ path, folder, name }) => {
      if (!name.startsWith('.')) return false;
      const target = normalize(join(dirname(path), name));
      if (!target.startsWith('src/') || !target.endsWith('.ts')) return true;
      return folderOf(target) !== folder && !MAY_IMPORT[folder]?.includes(folderOf(target));
    });
    expect(wrong.map(({ path, name }) => `${path} imports ${name}`)).toEqual([]);
  });

  it('keeps the kernel, processes and threads in their folders', () => {
    const wrong = imports.filter(
      ({ folder, name }) => ONLY_IN[name] !== undefined && !ONLY_IN[name].includes(folder),
    );
    expect(wrong.map(({ path, name }) => `${path} imports ${name}`)).toEqual([]);
  });
});
