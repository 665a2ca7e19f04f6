import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../../src/cli/main.ts';
import { ApiFixture } from '../api/api-fixture.ts';

/** The program `vtep` in this process, against a daemon of its own. */
export class CliFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'vtep-cli-'));
  readonly api = new ApiFixture();

  async start(): Promise<void> {
    await this.api.server.listen();
  }

  async close(): Promise<void> {
    await this.api.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Runs `vtep LINE`, its words separated by blanks. */
  async vtep(
    line: string,
    socket = this.api.socketPath,
  ): Promise<{ status: number; stdout: string; stderr: string }> {
    let stdout = '';
    let stderr = '';
    const status = await runCommandLine(
      line.split(' ').filter((word) => word !== ''),
      { VTEP_SOCKET: socket },
      { write: (text) => ((stdout += text), true), drained: async () => undefined },
      (message) => (stderr += `${message}\n`),
    );
    return { status, stdout, stderr };
  }
}

/** What a command that succeeded leaves behind. */
export function ok(stdout = '') {
  return { status: 0, stdout, stderr: '' };
}
