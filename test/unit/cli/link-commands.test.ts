import { expect, it } from 'vitest';
import { helpText } from '../../../src/cli/help.ts';
import { LINK_COMMANDS } from '../../../src/cli/link-commands.ts';

it('the verbs of link are explained, each with usage and example', () => {
  expect(LINK_COMMANDS.map(({ name }) => name)).toEqual([
    ...['link add', 'link set', 'link del', 'link show'],
  ]);
  for (const { name } of LINK_COMMANDS) {
    expect(helpText('link')).toContain(name);
    expect(helpText(name)).toContain(name === 'link show' ? 'vtep link [show]' : `vtep ${name}`);
  }
});
