import { describe, expect, it } from 'vitest';

import { sourceFiles } from '../support/source-files.ts';

/** One word per concept; these are the others. A line that must say one of them (an alias) says why. */
const WRONG_WORDS: readonly { word: RegExp; instead: string }[] = [
  { word: /\baging\b/i, instead: 'ageing' },
  { word: /\bvnid\b/i, instead: 'vni' },
  { word: /\bsnoop(ing|s|ed)?\b/i, instead: 'learning' },
  { word: /\bhead[- ]end\b/i, instead: 'ingress replication' },
  { word: /\b(TODO|FIXME|XXX)\b/, instead: 'the work itself, or an issue' },
];

/** Lines that may use the other word: names that users of other programs type. */
const ALLOWED = [/'aging'/, /`aging`/, /^\s*aging:/, /\balias/];

const FILE_LINES_MAX = 300;

const OWN = 'test/rules/words.test.ts';
const files = [...sourceFiles('src'), ...sourceFiles('test')].filter(({ path }) => path !== OWN);

describe('the words', () => {
  it('are the ones of the glossary', () => {
    const found = files.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => {
        if (ALLOWED.some((allowed) => allowed.test(line))) return [];
        const wrong = WRONG_WORDS.find(({ word }) => word.test(line));
        return wrong === undefined ? [] : [`${path}:${index + 1} say ${wrong.instead}`];
      }),
    );
    expect(found).toEqual([]);
  });

  it(`fill no source file with more than ${FILE_LINES_MAX} lines`, () => {
    const long = files.filter(
      ({ path, text }) => path.startsWith('src/') && text.split('\n').length > FILE_LINES_MAX,
    );
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});
