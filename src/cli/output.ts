import type { FdbRow } from '../api/protocol.ts';

/** Where a command writes its data; false means that {@link Output.drained} should be waited for. */
export interface Output {
  write(text: string): boolean;
  drained(): Promise<void>;
}

/** One row in `bridge fdb show`'s form; the device is left out when the user has named it. */
export function formatRow(row: FdbRow, isDeviceNamed: boolean): string {
  let line = row.mac;
  if (!isDeviceNamed) line += ` dev ${row.ifname}`;
  line += ` dst ${row.dst}`;
  if (row.vlan !== undefined) line += ` vlan ${row.vlan}`;
  if (row.port !== undefined) line += ` port ${row.port}`;
  if (row.vni !== undefined) line += ` vni ${row.vni}`;
  if (row.viaIf !== undefined) line += ` via ${row.viaIf}`;
  if (row.used !== undefined) line += ` used ${row.used}/${row.updated} frames ${row.frames}`;
  // The blank behind "self" stays when there is no state: so prints bridge.
  return `${line} ${row.flags.join(' ')} ${row.state}`;
}

/** JSON for a machine on one line, or for a person on many. */
export function formatJson(value: unknown, isPretty: boolean): string {
  return `${isPretty ? JSON.stringify(value, undefined, 4) : JSON.stringify(value)}\n`;
}

/** Bytes in binary units, three to four digits: `999 B`, `1.25 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(2)} ${units[unit]}`;
}

/** Whole seconds as the two largest units: `42 s`, `3 h 5 min`. */
export function formatDuration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
