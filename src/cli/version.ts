import { ApiClient } from '../api/client.ts';
import { packageVersion } from '../api/package-version.ts';
import type { VersionReport } from '../api/protocol.ts';
import { VtepError } from '../base/errors.ts';
import type { Invocation } from './command.ts';
import { formatJson } from './output.ts';

/** `version`: this program's, and the daemon's when one answers. */
export async function showVersion({ options, output }: Invocation): Promise<void> {
  const vtep = packageVersion();
  const vtepd = await daemonVersion(options.socket);
  if (options.json) {
    output.write(formatJson({ vtep, vtepd }, options.pretty));
    return;
  }
  output.write(`vtep ${vtep}\nvtepd ${vtepd ?? 'does not answer'}\n`);
}

async function daemonVersion(socket: string): Promise<string | null> {
  try {
    const report = await new ApiClient(socket, 2000).read<VersionReport>('/v1/version');
    return report.version;
  } catch (error) {
    if (error instanceof VtepError) return null;
    throw error;
  }
}
