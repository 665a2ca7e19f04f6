import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ERROR_CODES } from '../../src/base/errors.ts';
import { DROP_REASONS } from '../../src/dataplane/drop-reasons.ts';
import { repositoryRoot } from '../support/paths.ts';

const path = join(repositoryRoot(), 'README.md');
const readme = existsSync(path) ? readFileSync(path, 'utf8') : '';

/** A name counts as documented where it stands as code. */
function missing(names: readonly string[]): string[] {
  return names.filter((name) => !readme.includes(`\`${name}\``));
}

describe('the README', () => {
  it('lists every error code, and none that does not exist', () => {
    expect(missing(Object.keys(ERROR_CODES))).toEqual([]);
    const named = [...readme.matchAll(/`(ERR_[A-Z_]+)`/g)].map((match) => match[1]!);
    expect(named.filter((name) => !(name in ERROR_CODES))).toEqual([]);
  });

  it('lists every drop reason', () => {
    const names = DROP_REASONS.filter((name) => name !== 'none');
    expect(missing(names)).toEqual([]);
  });

  it('names only files of the repository that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)];
    const broken = links
      .map((match) => match[1]!)
      .filter((link) => {
        return !existsSync(join(repositoryRoot(), link));
      });
    expect(broken).toEqual([]);
  });

  it('shows only npm scripts that exist', () => {
    const text = readFileSync(join(repositoryRoot(), 'package.json'), 'utf8');
    const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
    const shown = [...readme.matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1]!);
    expect(shown.filter((name) => !(name in scripts))).toEqual([]);
    expect(readme).toContain('npm test');
    expect(readme).toContain('npm run demo');
  });
});
