/**
 * Makes a fresh clone ready to run: checks Node, installs the dependencies, compiles to dist/.
 * Plain JavaScript without dependencies, because it runs before anything is installed. What is up to
 * date is left alone, and then nothing is printed. All words go to standard error: what a caller prints
 * on standard output (the archive's name of `npm pack`) stays clean.
 *
 * Usage: node test/support/ensure-built.mjs [--rebuild]
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.built');
/** What tsconfig.build.json includes. */
const SOURCE_FOLDERS = ['src', 'test/support', 'test/demo', 'test/bench'];
const CONFIGURATION = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Installs and builds what is missing; throws with one line that says what failed. */
export function ensureBuilt({ rebuild = false } = {}) {
  checkNode();
  if (!isInstalled()) install();
  if (rebuild || !isBuilt()) build();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Node 20.19 or newer is needed, this is ${process.versions.node}`);
}

/**
 * Every package of the lock file lies in node_modules in its version. Optional ones (other platforms')
 * may be absent. Times are not compared: npm and git write the two files in any order.
 */
function isInstalled() {
  const wanted = lockedPackages(join(ROOT, 'package-lock.json'));
  const present = lockedPackages(join(ROOT, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    if (present[path]?.version !== entry.version && !(entry.optional && !present[path]))
      return false;
  }
  return Object.keys(present).every((path) => path in wanted && existsSync(join(ROOT, path)));
}

function lockedPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function install() {
  console.error('installing the dependencies (npm ci)');
  const flags = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['ci', ...flags], 'npm ci');
}

/** The compiled files belong to just these sources, and none of them is newer. */
function isBuilt() {
  if (!existsSync(STAMP)) return false;
  const built = statSync(STAMP).mtimeMs;
  const sources = sourceFiles();
  if (readFileSync(STAMP, 'utf8') !== stampText(sources)) return false;
  const inputs = [...sources, ...CONFIGURATION];
  return inputs.every((file) => statSync(join(ROOT, file)).mtimeMs <= built);
}

function build() {
  console.error('compiling to dist/ (tsc)');
  // Read before compiling: what changes meanwhile is compiled again next time.
  const sources = sourceFiles();
  rmSync(STAMP, { force: true });
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const started = new Date();
  run(process.execPath, [compiler, '-p', 'tsconfig.build.json'], 'tsc');
  removeOrphans(new Set(sources.map((file) => file.replace(/\.ts$/, '.js'))));
  writeFileSync(STAMP, stampText(sources));
  utimesSync(STAMP, started, started);
}

function stampText(sources) {
  return `${sources.join('\n')}\n`;
}

/** Output whose source is gone would otherwise go on being importable. */
function removeOrphans(wanted) {
  for (const file of filesBelow(DIST)) {
    const path = relative(DIST, file);
    if (path.endsWith('.js') && !wanted.has(path)) rmSync(file);
  }
}

function sourceFiles() {
  return SOURCE_FOLDERS.flatMap((folder) => filesBelow(join(ROOT, folder)))
    .map((file) => relative(ROOT, file))
    .filter((file) => file.endsWith('.ts'))
    .sort();
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function run(command, args, what) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['inherit', 2, 2] });
  if (result.status === 0) return;
  const cause = result.error?.message ?? `it ended with status ${result.status}`;
  throw new Error(`${what} failed: ${cause}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    ensureBuilt({ rebuild: process.argv.includes('--rebuild') });
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}
