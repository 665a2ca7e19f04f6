/** Who holds a UDP port, in words for an error message. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { printable } from '../base/printable.ts';
import { isUnspecifiedIp } from '../wire/ip.ts';
import { listLinks } from './netlink-link.ts';

/** Columns of /proc/net/udp. */
const LOCAL_COLUMN = 1;
const INODE_COLUMN = 9;

/**
 * "the kernel vxlan device vxlan7" or "process dnsmasq (pid 811)", or undefined when it cannot be
 * found out.
 *
 * `address` (16 bytes, IPv4 mapped) prefers a socket bound to it or to all addresses; without it
 * any socket on the port counts. Processes of other users can be named only by root. Never throws:
 * it serves to explain another failure.
 */
export function describePortOwner(port: number, address?: Uint8Array): string | undefined {
  return describeKernelOwner(port) ?? describeProcess(socketInodes(port, address));
}

/** The kernel's own sockets have no process: a vxlan device that is up holds its configured port. */
function describeKernelOwner(port: number): string | undefined {
  let names: string[];
  try {
    names = listLinks()
      .filter((link) => link.up && link.vxlan?.port === port)
      .map((link) => link.name);
  } catch {
    return undefined;
  }
  if (names.length === 0) return undefined;
  const noun = names.length === 1 ? 'device' : 'devices';
  return `the kernel vxlan ${noun} ${names.join(', ')}`;
}

function socketInodes(port: number, address: Uint8Array | undefined): Set<string> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const line of readLines(table).slice(1)) {
      const columns = line.trim().split(/\s+/u);
      const local = parseLocal(columns[LOCAL_COLUMN] ?? '');
      const inode = columns[INODE_COLUMN];
      if (local?.port !== port || inode === undefined || inode === '0') continue;
      if (address === undefined || clashes(local.address, address)) inodes.add(inode);
    }
  }
  return inodes;
}

/** `0100007F:12B5`: words of the address in host order, port in plain hexadecimal. */
export function parseLocal(text: string): { address: Buffer; port: number } | undefined {
  const [hex = '', port = ''] = text.split(':');
  const words = Buffer.from(hex, 'hex');
  if (words.length !== 4 && words.length !== 16) return undefined;
  const address = words.swap32();
  const mapped =
    address.length === 16 ? address : Buffer.concat([Buffer.from(V4_MAPPED_PREFIX), address]);
  return { address: mapped, port: parseInt(port, 16) };
}

const V4_MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function clashes(bound: Buffer, wanted: Uint8Array): boolean {
  return bound.equals(wanted) || isUnspecifiedIp(bound) || isUnspecifiedIp(wanted);
}

function describeProcess(inodes: ReadonlySet<string>): string | undefined {
  if (inodes.size === 0) return undefined;
  for (const pid of listDirectory('/proc')) {
    if (!/^\d+$/u.test(pid)) continue;
    for (const fd of listDirectory(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/u.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      return `process ${programName(pid)} (pid ${pid})`;
    }
  }
  return undefined;
}

/** `dnsmasq`; for an interpreter that runs a script, `node vtepd`. A process chooses its name itself. */
function programName(pid: string): string {
  return printable(rawProgramName(pid));
}

function rawProgramName(pid: string): string {
  const [program = '', ...rest] = (readLines(`/proc/${pid}/cmdline`)[0] ?? '').split('\0');
  const name = basename(program.split(' ')[0] ?? '');
  if (name === '') return readLines(`/proc/${pid}/comm`)[0] ?? '';
  const script = INTERPRETER.test(name) ? rest.find((word) => !word.startsWith('-')) : undefined;
  return script === undefined ? name : `${name} ${basename(script)}`;
}

const INTERPRETER = /^(node|bun|python[\d.]*|perl|ruby)$/u;

/** Processes come and go, and not all of them may be read: what cannot be read is skipped. */
function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}
