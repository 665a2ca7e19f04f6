import type { SafetyReport } from '../api/protocol.ts';

/** The lines of `vtep show` about a tunnel's safety; what is off takes no room. */
export function formatSafety(safety: SafetyReport): string[] {
  return [
    `  limits: ${formatLimit(safety.limit)} learned, ${formatLimit(safety.remoteLimit)} per remote, ` +
      `${safety.notLearned} frames not learned from`,
    `  moves: ${safety.moved}, ${formatFreeze(safety)}`,
    ...formatStorm(safety),
    ...formatRate(safety),
    ...(safety.floodUnknown ? [] : ['  unknown unicast: dropped']),
    ...(safety.anyRemote ? ['  remotes: any, everybody may send'] : []),
  ];
}

function formatLimit(limit: number): string {
  return limit === 0 ? 'no limit' : String(limit);
}

function formatFreeze({ macMoves, macMoveWindow, macFreeze }: SafetyReport): string {
  if (macMoves === 0) return 'never freezes';
  const until = macFreeze === 0 ? 'until deleted' : `for ${macFreeze} s`;
  return `freezes ${until} after ${macMoves} in ${macMoveWindow} s`;
}

function formatStorm(safety: SafetyReport): string[] {
  const kinds = [
    ['broadcast', safety.stormBroadcast],
    ['multicast', safety.stormMulticast],
    ['unknown', safety.stormUnknown],
  ] as const;
  const set = kinds.filter(([, limit]) => limit !== undefined);
  if (set.length === 0) return [];
  return [`  storm control: ${set.map(([kind, limit]) => `${kind} ${limit}/s`).join(', ')}`];
}

function formatRate({ rateTransmit, rateReceive }: SafetyReport): string[] {
  const parts = [
    rateTransmit !== undefined && `transmit ${formatBits(rateTransmit)}`,
    rateReceive !== undefined && `receive ${formatBits(rateReceive)}`,
  ].filter(Boolean);
  return parts.length === 0 ? [] : [`  rate: ${parts.join(', ')}`];
}

/** `64 kbit/s`, `1.5 Gbit/s`. */
function formatBits(bits: number): string {
  if (bits >= 1e9) return `${bits / 1e9} Gbit/s`;
  return bits >= 1e6 ? `${bits / 1e6} Mbit/s` : `${bits / 1e3} kbit/s`;
}
