import type { OuterConfig } from '../config/outer.ts';
import {
  INHERIT_DF,
  INHERIT_FLOW_LABEL,
  INHERIT_TOS,
  INHERIT_TTL,
  type OuterRow,
} from '../dataplane/outer-table.ts';

/** What the forwarding core has to know of a tunnel's outer headers. */
export function outerRow(outer: OuterConfig): OuterRow {
  const { ttl, tos, flowLabel, dontFragment, reservedBits } = outer;
  return {
    inherit:
      (ttl === 'inherit' ? INHERIT_TTL : 0) |
      (tos === 'inherit' ? INHERIT_TOS : 0) |
      (flowLabel === 'inherit' ? INHERIT_FLOW_LABEL : 0) |
      (dontFragment === 'inherit' ? INHERIT_DF : 0),
    ttl: typeof ttl === 'number' ? ttl : 0,
    tos: typeof tos === 'number' ? tos : 0,
    flowLabel: typeof flowLabel === 'number' ? flowLabel : 0,
    reservedFirst: reservedBits.first,
    reservedSecond: reservedBits.second,
  };
}
