/**
 * `npm test`: installs and builds what is missing, checks lint, types and format, runs every test, and
 * ends with what was skipped and why, and the line `N passed, N failed`.
 *
 *   npm test                          everything
 *   npm test -- test/unit/fdb -t age  only these (arguments go to vitest; no lint, types, format)
 *   npm test -- --no-skips            a skipped test is a failure (for CI)
 *
 * Plain JavaScript without dependencies, because it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ensureBuilt } from './support/ensure-built.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NO_REASON = 'no reason given';
const SETUP_FAILED = 'its setup failed (see above)';

async function main(argv) {
  const skipsForbidden = argv.includes('--no-skips');
  const selection = argv.filter((word) => word !== '--no-skips');
  const totals = { passed: 0, failed: [], skipped: new Map() };
  try {
    ensureBuilt();
  } catch (error) {
    totals.failed.push(`build: ${error.message}`);
    return conclude(totals, skipsForbidden);
  }
  if (selection.length === 0) await runChecks(totals);
  await runVitest(totals, selection);
  return conclude(totals, skipsForbidden);
}

/** Lint, types and format count as one test each; their output is shown when they fail. */
async function runChecks(totals) {
  const checks = [
    { name: 'lint', program: 'eslint/bin/eslint.js', args: ['.'] },
    { name: 'types', program: 'typescript/bin/tsc', args: ['--noEmit', '-p', 'tsconfig.json'] },
    { name: 'format', program: 'prettier/bin/prettier.cjs', args: ['--check', '.'] },
  ];
  console.log('checking lint, types and format');
  const runs = checks.map(({ program, args }) => runNode(program, args, 'pipe'));
  for (const [index, { status, output }] of (await Promise.all(runs)).entries()) {
    const { name } = checks[index];
    if (status === 0) {
      totals.passed += 1;
      continue;
    }
    totals.failed.push(name);
    console.log(`\n${name} failed:\n${output}`);
  }
}

async function runVitest(totals, selection) {
  const folder = mkdtempSync(join(tmpdir(), 'vtepd-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = ['run', '--config', 'test/vitest.config.ts', ...reporters, ...selection];
  const { status } = await runNode('vitest/vitest.mjs', args, 'inherit');
  const failedBefore = totals.failed.length;
  try {
    for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) addFile(totals, file);
  } catch (error) {
    totals.failed.push(`vitest wrote no report: ${error.message}`);
  }
  rmSync(folder, { recursive: true, force: true });
  // An exception outside of any test fails the run and no test.
  if (status !== 0 && totals.failed.length === failedBefore) {
    totals.failed.push('vitest: an error outside of the tests (see above)');
  }
}

function addFile(totals, file) {
  const name = file.name.replace(`${ROOT}/`, '');
  const tests = file.assertionResults;
  const broken = file.status === 'failed' && tests.every(({ status }) => status !== 'failed');
  if (broken) totals.failed.push(`${name}: ${file.message.split('\n')[0] || SETUP_FAILED}`);
  for (const test of tests) {
    if (test.status === 'passed') totals.passed += 1;
    else if (test.status === 'failed') totals.failed.push(`${name}: ${test.fullName}`);
    else addSkipped(totals.skipped, name, test.fullName, broken ? SETUP_FAILED : NO_REASON);
  }
}

/** `describeIf` writes the reason into the suite's name. */
function addSkipped(skipped, file, fullName, otherwise) {
  const reason = /\[skipped: (.*?)\]/.exec(fullName)?.[1] ?? otherwise;
  if (!skipped.has(reason)) skipped.set(reason, new Map());
  const files = skipped.get(reason);
  files.set(file, (files.get(file) ?? 0) + 1);
}

/** Prints the summary; returns the exit status. */
function conclude(totals, skipsForbidden) {
  let skippedCount = 0;
  console.log('');
  for (const [reason, files] of totals.skipped) {
    console.log(`skipped: ${reason}`);
    for (const [file, count] of files) {
      skippedCount += count;
      console.log(`  ${file} (${count})`);
    }
  }
  if (totals.failed.length > 0) console.log('failed:');
  for (const name of totals.failed) console.log(`  ${name}`);
  const refused = skipsForbidden && skippedCount > 0;
  if (refused) console.log('skipping is forbidden here (--no-skips)');
  const tail = skippedCount === 0 ? '' : `, ${skippedCount} skipped`;
  console.log(`${totals.passed} passed, ${totals.failed.length} failed${tail}`);
  return totals.failed.length > 0 || refused ? 1 : 0;
}

/** Runs a program of node_modules with this Node. Never rejects. */
function runNode(program, args, output) {
  return new Promise((resolve) => {
    const path = join(ROOT, 'node_modules', program);
    const stdio = output === 'pipe' ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(process.execPath, [path, ...args], { cwd: ROOT, stdio });
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ status: 1, output: error.message }));
    child.on('close', (status) => {
      resolve({ status: status ?? 1, output: Buffer.concat(chunks).toString() });
    });
  });
}

process.exitCode = await main(process.argv.slice(2));
