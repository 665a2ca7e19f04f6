import type { Contender } from '../contender.ts';
import { KERNEL, KERNEL_PLAIN } from './kernel.ts';
import { OPEN_VSWITCH } from './open-vswitch.ts';
import { daemonContender } from './vtepd.ts';

export interface ContenderOptions {
  /** Given to every vtepd as `--workers`. */
  readonly workers?: string | undefined;
  /** Another checkout, built, that takes part beside this one. */
  readonly baseline?: string | undefined;
}

/** Everybody, in the order of the columns. */
export function allContenders({ workers, baseline }: ContenderOptions): Contender[] {
  const common = workers === undefined ? [] : ['--workers', workers];
  const vtepd = (name: string, title: string, words: readonly string[], root?: string): Contender =>
    daemonContender(name, title, {
      arguments: [...common, ...words],
      ...(root === undefined ? {} : { root }),
    });
  return [
    KERNEL,
    KERNEL_PLAIN,
    vtepd('vtepd', 'vtepd', []),
    ...(baseline === undefined ? [] : [vtepd('baseline', 'vtepd, baseline', [], baseline)]),
    vtepd('vtepd-portable', 'vtepd, portable', ['--underlay', 'portable']),
    vtepd('vtepd-no-offload', 'vtepd, offloads off', ['--offload', 'off']),
    OPEN_VSWITCH,
  ];
}
