import { VtepError } from '../base/errors.ts';
import type { Offload, OverlayAddress, TunnelConfig } from './config.ts';
import { formatPath, type Problem, quote } from './problem.ts';
import { readConfig } from './read.ts';
import { readMapping } from './read-mapping.ts';
import { TUNNEL_SHAPE } from './schema.ts';
import { type PlainData, treeOf } from './tree.ts';

/** Settings of one tunnel as somebody sends them at run time: the keys of a file, values of JSON. */
export type TunnelSettings = Readonly<Record<string, unknown>>;

/** What of a tunnel may change while it runs; what is undefined stays. */
export interface TunnelChange {
  readonly mtu: number | 'auto' | undefined;
  readonly learning: boolean | undefined;
  readonly ageingSeconds: number | undefined;
  /** To be added to those that the device has. */
  readonly addresses: readonly OverlayAddress[];
}

/** A setting that can be changed while the tunnel runs is one line here, and its use in the daemon. */
const CHANGE_SHAPE = {
  mtu: TUNNEL_SHAPE.mtu,
  'mac-learning': TUNNEL_SHAPE['mac-learning'],
  ageing: TUNNEL_SHAPE.ageing,
  addresses: TUNNEL_SHAPE.addresses,
} as const;

const FIXED = new Map(
  Object.entries(TUNNEL_SHAPE)
    .filter(([key]) => !(key in CHANGE_SHAPE))
    .flatMap(([key, { aliases }]) => [key, ...aliases])
    .map((key) => [key, fixedWords(key)] as const),
);

function fixedWords(key: string): string {
  return key.startsWith('remote')
    ? 'cannot be set; allowed: fdb append, replace and del of 00:00:00:00:00:00'
    : 'cannot change while the tunnel runs; allowed: delete it and add it again';
}

/**
 * The configuration of a tunnel that is added at run time: the same keys, checks and defaults as in a
 * file. `offload` is the daemon's switch. Throws ERR_USAGE with every problem.
 */
export function readTunnelRequest(
  name: string,
  settings: TunnelSettings,
  offload: Offload,
): TunnelConfig {
  const data: PlainData = { tunnels: { [name]: plain(settings, name) } };
  const read = readConfig(treeOf(data), { offload });
  if ('config' in read) return read.config.tunnels[0]!;
  throw refusal(`Cannot add ${quote(name)}`, read.problems);
}

/** What a request changes of a tunnel that runs. Throws ERR_USAGE with every problem. */
export function readTunnelChange(name: string, settings: TunnelSettings): TunnelChange {
  const tree = treeOf(plain(settings, name));
  const problems: Problem[] = [];
  const entries = tree.kind === 'mapping' ? tree.entries : [];
  const report = (problem: Problem): void => void problems.push(problem);
  const values = readMapping(entries, CHANGE_SHAPE, ['tunnels', name], report, FIXED);
  if (problems.length > 0) throw refusal(`Cannot change ${quote(name)}`, problems);
  return {
    mtu: values.mtu?.value,
    learning: values['mac-learning']?.value,
    ageingSeconds: values.ageing?.value,
    addresses: values.addresses?.items.map(({ value }) => value) ?? [],
  };
}

function refusal(what: string, problems: readonly Problem[]): VtepError {
  const lines = problems.map(({ path, message }) => {
    const inside = formatPath(path.slice(2));
    return inside === '' ? message : `${inside}: ${message}`;
  });
  return new VtepError('ERR_USAGE', `${what}: ${lines.join('; ')}`, {
    hint: 'the settings are those of the section "Configuration" of the README',
  });
}

/** Every field takes its value as text too, as a command line gives it. */
function plain(value: unknown, name: string): PlainData {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, name));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, name)]));
  }
  throw new VtepError('ERR_USAGE', `Cannot read the settings of ${quote(name)}: a value is null`);
}
