import { describe, expect, it } from 'vitest';
import { NEIGH_COMMANDS, NEIGH_VERBS } from '../../../src/cli/neigh-commands.ts';

describe('the verbs of neigh', () => {
  it('each have a command, and each command its verb', () => {
    const verbs = NEIGH_VERBS.filter((verb) => verb !== 'help');
    expect(NEIGH_COMMANDS.map(({ name }) => name)).toEqual(verbs.map((verb) => `neigh ${verb}`));
  });

  it('take a batch where they change entries', () => {
    const batches = NEIGH_COMMANDS.filter(({ takesBatch }) => takesBatch).map(({ name }) => name);
    expect(batches).toEqual(['neigh add', 'neigh replace', 'neigh del']);
  });
});
