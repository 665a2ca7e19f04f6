/** `vtepd`: reads the command line, starts the daemon, ends it on a signal. */
import { asVtepError, formatError } from '../base/errors.ts';
import { parseDaemonArguments } from '../config/arguments.ts';
import type { Config } from '../config/config.ts';
import { loadConfigFile } from '../config/load.ts';
import { packageVersion } from '../api/package-version.ts';
import { Daemon } from './daemon.ts';
import { makeLogger } from './logger.ts';

/** A shutdown that takes longer than this is cut off. */
const STOP_TIMEOUT_MS = 5_000;

export async function main(argv: readonly string[]): Promise<void> {
  try {
    const config = readConfiguration(argv.slice(2));
    if (config !== undefined) await run(config);
  } catch (error) {
    const failure = asVtepError(error);
    process.stderr.write(`${formatError(failure)}\n`);
    if (failure.code === 'ERR_INTERNAL' && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
    process.exit(failure.exitStatus);
  }
}

/** Undefined when the command line asked for help or the version only. */
function readConfiguration(argv: readonly string[]): Config | undefined {
  const request = parseDaemonArguments(argv);
  switch (request.kind) {
    case 'run':
      return request.config;
    case 'file':
      return loadConfigFile(request.path, request.overrides);
    case 'help':
      process.stdout.write(request.text);
      return undefined;
    case 'version':
      process.stdout.write(`vtepd ${packageVersion()}\n`);
      return undefined;
  }
}

async function run(config: Config): Promise<void> {
  const log = makeLogger(config.logLevel, process.stderr.isTTY);
  const daemon = new Daemon(config, log, () => process.exit(1));
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    daemon.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('stop failed', { error: String(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', () => daemon.reload());
  await daemon.start();
}
