import { spawnSync } from 'node:child_process';

let count = 0;

/** An interface name that nobody else on this machine uses. */
export function uniqueName(): string {
  count++;
  return `vt${process.pid.toString(36)}x${count}`;
}

/** Runs `ip` and returns what it printed; throws what it complained about. */
export function ip(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** Deletes the interface if it is there. */
export function deleteLink(name: string): void {
  spawnSync('ip', ['link', 'del', name]);
}
