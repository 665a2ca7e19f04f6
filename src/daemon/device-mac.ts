/** The MAC of a TAP that we make. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Mac } from '../wire/mac.ts';

const MACHINE_ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

export interface MacSeed {
  /** Underlay address in use, text. */
  readonly local: string;
  readonly name: string;
  readonly vni: number;
}

/**
 * A MAC that is the same after every restart, so that neighbours need not learn it anew.
 *
 * The local address is part of it because hosts may share a machine-id: namespaces do, and virtual
 * machines cloned from one image. Unicast, locally administered (IEEE 802 section 8.4).
 */
export function deviceMac(seed: MacSeed, machineId = readMachineId()): Mac {
  const digest = createHash('sha256')
    .update(['vtepd', machineId, seed.local, seed.name, String(seed.vni)].join('\0'))
    .digest();
  return { high: (digest.readUInt16BE(0) & 0xfcff) | 0x0200, low: digest.readUInt32BE(2) };
}

/** Empty on a host without one: local address, name and VNI then tell devices apart. */
function readMachineId(): string {
  for (const file of MACHINE_ID_FILES) {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      continue;
    }
  }
  return '';
}
