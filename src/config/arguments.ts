import { Command, CommanderError, Option } from 'commander';
import { VtepError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { VNI_MAX } from '../wire/vxlan.ts';
import { type Config, type ConfigOverrides, VNI_MIN } from './config.ts';
import { type ConfigPath, countOf, quote } from './problem.ts';
import { readConfig } from './read.ts';
import { readMapping, type Report } from './read-mapping.ts';
import { GLOBAL_SHAPE } from './schema.ts';
import { type PlainData, treeOf } from './tree.ts';
import { DAEMON_OPTIONS, type DaemonOption, HELP_AFTER, HELP_BEFORE } from './usage.ts';

/** What a command line of vtepd asks for. */
export type DaemonArguments =
  /** One tunnel, from the options. */
  | { readonly kind: 'run'; readonly config: Config }
  /** A file, for loadConfigFile() of load.ts together with the overrides. */
  | { readonly kind: 'file'; readonly path: string; readonly overrides: ConfigOverrides }
  /** Text for stdout, then exit 0. */
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' };

/**
 * Reads the command line of vtepd, `argv` without the paths of node and of the script.
 *
 * The values go through the same checks as those of a file. Throws ERR_USAGE with every problem at
 * once, and prints nothing.
 */
export function parseDaemonArguments(argv: readonly string[]): DaemonArguments {
  const command = makeCommand();
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code !== 'commander.helpDisplayed') throw usageError(error);
    return { kind: 'help', text: command.helpInformation() + HELP_AFTER };
  }
  const given = givenOptions(command);
  if (given.has('version')) return { kind: 'version' };
  if (argv.length === 0) {
    throw new VtepError('ERR_USAGE', 'Neither --vni nor --config was given', {
      hint: HOW_TO_START,
    });
  }
  const complaints = new Complaints();
  checkForm(given, command.args, complaints);
  const path = lastOf(given, 'config');
  const result =
    path === undefined
      ? readTunnelArguments(given, complaints)
      : readFileArguments(path, given, complaints);
  complaints.throwIfAny();
  return result!;
}

/** By key of the option: the values it was given, none for a switch; nothing for what is absent. */
type Given = ReadonlyMap<string, readonly string[]>;

function makeCommand(): Command {
  const command = new Command('vtepd')
    .usage('[options]')
    .description(HELP_BEFORE)
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ helpWidth: 100 })
    .configureOutput({ writeOut() {}, writeErr() {} })
    .allowExcessArguments(true)
    .exitOverride();
  for (const { flags, text } of DAEMON_OPTIONS) {
    const option = new Option(flags, text);
    // Every value is kept, so that one that would silently win over another can be reported.
    if (option.required) option.argParser(appendValue);
    command.addOption(option);
  }
  return command;
}

function appendValue(value: string, values: readonly string[] | undefined): string[] {
  return [...(values ?? []), value];
}

function givenOptions(command: Command): Given {
  const given = new Map<string, readonly string[]>();
  for (const [index, { key }] of DAEMON_OPTIONS.entries()) {
    const attribute = command.options[index]!.attributeName();
    if (command.getOptionValueSource(attribute) !== 'cli') continue;
    const value: unknown = command.getOptionValue(attribute);
    given.set(key, Array.isArray(value) ? (value as string[]) : []);
  }
  return given;
}

class Complaints {
  readonly #lines: string[] = [];
  readonly #settled = new Set<string>();

  /** Adds a line about an option, unless it is settled already what is wrong with it. */
  add(option: string, message: string): void {
    if (!this.#settled.has(option)) this.#lines.push(`${option}: ${message}`);
  }

  /** Adds a line that makes all further ones about this option pointless. */
  settle(option: string, message: string): void {
    this.add(option, message);
    this.#settled.add(option);
  }

  /** Adds a line about something else than an option. */
  say(message: string): void {
    this.#lines.push(message);
  }

  throwIfAny(): void {
    const [first, ...others] = this.#lines;
    if (first === undefined) return;
    const count = countOf(this.#lines.length, 'problem');
    const lines = this.#lines.map((line) => `\n  ${line}`).join('');
    const message = others.length === 0 ? first : `The command line has ${count}:${lines}`;
    throw new VtepError('ERR_USAGE', message, { hint: SEE_HELP });
  }
}

/** What is wrong with the options as such: their number, missing values, stray words. */
function checkForm(given: Given, stray: readonly string[], complaints: Complaints): void {
  for (const { name, key, kind } of DAEMON_OPTIONS) {
    const values = given.get(key) ?? [];
    const missing = values.find((value) => value === '' || OPTION_LIKE.test(value));
    if (missing !== undefined) {
      const instead = missing === '' ? 'an empty text' : `the option ${quote(missing)}`;
      complaints.settle(name, `has no value, ${instead} stands in its place`);
    } else if (kind !== 'repeats' && values.length > 1) {
      const all = values.map(quote).join(' and ');
      complaints.settle(name, `is given ${values.length} times, with ${all}; allowed: once`);
    }
  }
  for (const word of stray) {
    complaints.say(`Unexpected argument ${quote(word)}; allowed: options only`);
  }
}

function readFileArguments(path: string, given: Given, complaints: Complaints): DaemonArguments {
  const excluded = DAEMON_OPTIONS.filter(({ ofTunnel, key }) => ofTunnel && given.has(key));
  if (excluded.length > 0) {
    const names = excluded.map(({ name }) => name).join(', ');
    complaints.add('--config', `does not go together with ${names}; allowed: a file or one tunnel`);
  }
  const tree = treeOf(globalData(given));
  const entries = tree.kind === 'mapping' ? tree.entries : [];
  const report: Report = (problem) => complaints.add(optionOf(problem.path), problem.message);
  const values = readMapping(entries, GLOBAL_SHAPE, [], report, new Map());
  const overrides: ConfigOverrides = {};
  if (values.workers !== undefined) overrides.workers = values.workers.value;
  if (values.socket !== undefined) overrides.socket = values.socket.value;
  if (values['log-level'] !== undefined) overrides.logLevel = values['log-level'].value;
  if (values.underlay !== undefined) overrides.underlay = values.underlay.value;
  if (values.offload !== undefined) overrides.offload = values.offload.value;
  return { kind: 'file', path, overrides };
}

function readTunnelArguments(given: Given, complaints: Complaints): DaemonArguments | undefined {
  const vni = lastOf(given, 'id');
  if (vni === undefined) {
    const message = `is missing; allowed: ${VNI_MIN} to ${VNI_MAX}, or --config FILE in its place`;
    complaints.add('--vni', message);
  }
  const settings: Record<string, PlainData> = { id: vni ?? String(VNI_MIN) };
  for (const { name, key, kind, ofTunnel } of DAEMON_OPTIONS) {
    const values = given.get(key);
    if (!ofTunnel || key === 'name' || values === undefined) continue;
    if (kind === 'switch') settings[key] = String(!name.startsWith('--no-'));
    else settings[key] = kind === 'repeats' ? values : values.at(-1)!;
  }
  const device = lastOf(given, 'name') ?? `vx${vni ?? ''}`;
  const data = { ...globalData(given), tunnels: { [device]: settings } };
  const read = readConfig(treeOf(data), {});
  if ('config' in read) return { kind: 'run', config: read.config };
  for (const { path, message } of read.problems) {
    // Without --name, a VNI that is no number makes no name either: that is one mistake.
    if (!isNamePath(path) || given.has('name')) complaints.add(optionOf(path), message);
  }
  return undefined;
}

function globalData(given: Given): Record<string, PlainData> {
  const data: Record<string, PlainData> = {};
  for (const { key, ofTunnel } of DAEMON_OPTIONS) {
    const value = lastOf(given, key);
    if (!ofTunnel && key in GLOBAL_SHAPE && value !== undefined) data[key] = value;
  }
  return data;
}

function lastOf(given: Given, key: DaemonOption['key']): string | undefined {
  return given.get(key)?.at(-1);
}

function isNamePath(path: ConfigPath): boolean {
  return path[0] === 'tunnels' && path.length === 2;
}

function optionOf(path: ConfigPath): string {
  if (isNamePath(path)) return '--name';
  const key = path[0] === 'tunnels' ? path[2] : path[0];
  return DAEMON_OPTIONS.find((option) => option.key === key)?.name ?? String(key);
}

/** A complaint of commander's in our words. */
function usageError(error: CommanderError): VtepError {
  const said = error.message.replace(/^error: /, '');
  const word = /'([^']*)'/.exec(said)?.[1] ?? said;
  if (error.code === 'commander.unknownOption') {
    const nearest = /\(Did you mean (.*)\?\)/s.exec(said)?.[1];
    const hint = nearest === undefined ? SEE_HELP : `did you mean ${nearest}?`;
    return new VtepError('ERR_USAGE', `Unknown option ${quote(word)}`, { hint });
  }
  if (error.code === 'commander.optionMissingArgument') {
    const option = DAEMON_OPTIONS.find(({ flags }) => flags === word)?.name ?? word;
    return new VtepError('ERR_USAGE', `${option}: has no value; allowed: ${word}`, {
      hint: SEE_HELP,
    });
  }
  return new VtepError('ERR_USAGE', printable(said), { hint: SEE_HELP });
}

const OPTION_LIKE = /^--[a-z]/;
const SEE_HELP = 'vtepd --help lists the options, with examples';
const HOW_TO_START =
  'vtepd --vni 42 --local ADDRESS --remote ADDRESS for one tunnel, vtepd --config FILE for more';
