import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import type { Child } from '../support/child.ts';
import { runCommand } from '../support/host.ts';
import { Lab, waitFor } from '../support/lab.ts';
import { distFolder } from '../support/paths.ts';
import { describeIf } from '../support/requires.ts';

const LIMIT_MS = 60_000;

describeIf({ namespaces: true, tun: true, kernelVxlan: true }, 'the demo', () => {
  let lab: Lab | undefined;
  afterEach(async () => lab?.close());

  function start(...options: string[]): Child {
    lab = new Lab();
    const program = join(distFolder(), 'test', 'demo', 'main.js');
    return lab.spawn(process.execPath, program, '--seconds', '1', ...options);
  }

  /** Namespaces and files of this run of the demo that are still there. */
  function remains({ pid }: Child): string[] {
    const folders = ['/run/netns', tmpdir()].filter((folder) => existsSync(folder));
    const names = folders.flatMap((folder) => readdirSync(folder));
    return names.filter((name) => name.startsWith(`vtdemo${pid}-`));
  }

  it.for([{ options: [] }, { options: ['--kernel'] }])(
    'shows a ping, a transfer and both FDBs, and takes all down ($options)',
    async ({ options }) => {
      const demo = start(...options);
      await demo.wait(LIMIT_MS);
      expect(demo.status, demo.output()).toBe(0);
      const output = demo.stdout();
      expect(output).toMatch(/[1-5] of 5 answered/);
      expect(output.match(/ to .: \d+\.\d+ Gbit\/s/g)).toHaveLength(2);
      for (const host of ['a', 'b']) {
        expect(output).toMatch(
          new RegExp(`^ +${host} +[0-9a-f:]{17} +192\\.168\\.120\\.\\d+ +learned`, 'm'),
        );
      }
      expect(output).toMatch(/What next/);
      expect(remains(demo)).toEqual([]);
    },
  );

  it('takes all down when it is interrupted', async () => {
    const demo = start();
    await waitFor(() => demo.stdout().includes('[5/6]'), {
      timeoutMs: LIMIT_MS,
      what: () => `the transfer\n${demo.output()}`,
    });
    expect(remains(demo).length).toBeGreaterThan(2);
    demo.kill('SIGINT');
    await demo.wait();
    expect(demo.status).toBe(130);
    expect(remains(demo)).toEqual([]);
  });

  it('leaves the lab up with --keep, and prints the line that removes it', async () => {
    const demo = start('--keep');
    await demo.wait(LIMIT_MS);
    expect(demo.status, demo.output()).toBe(0);
    const line = (start: string): string =>
      demo
        .stdout()
        .split('\n')
        .find((text) => text.trim().startsWith(start)) ?? '';
    const show = runCommand({}, 'sh', ['-c', line('node bin/vtep.js')]);
    expect(show.stdout).toContain('dev vx42 dst 192.168.120.20');
    const remove = runCommand({}, 'sh', ['-c', line('kill ')]);
    expect(remove).toMatchObject({ status: 0, stderr: '' });
    expect(remains(demo)).toEqual([]);
  });
});
