/**
 * Why a frame died: a closed list. The names are part of the interface (`vtep show`, the README) and
 * follow the kernel's SKB_DROP_REASON_VXLAN_* in sense; the numbers are indices of counters.
 */
export const DROP_NONE = 0;

// Receive, before a tunnel is known.
export const DROP_SHORT = 1;
export const DROP_NO_I_FLAG = 2;
export const DROP_VNI_UNKNOWN = 3;

// Receive.
export const DROP_REMOTE_DENIED = 4;
export const DROP_INNER_SHORT = 5;
export const DROP_SMAC_INVALID = 6;
export const DROP_OWN_MAC = 7;
export const DROP_ECN = 8;
export const DROP_MAC_PINNED = 9;
export const DROP_MALFORMED = 10;
export const DROP_TAP_WRITE = 11;

// Transmit.
export const DROP_TX_SHORT = 12;
export const DROP_TX_SMAC_INVALID = 13;
export const DROP_TX_MALFORMED = 14;
export const DROP_NO_REMOTE = 15;
export const DROP_MTU = 16;
export const DROP_UNREACHABLE = 17;
export const DROP_SOCK_FULL = 18;
export const DROP_SEND_FAILED = 19;

// Receive, in the kernel, before a datagram was ours.
export const DROP_RX_OVERFLOW = 20;

/** A bit of the VXLAN header is set that the tunnel wants to be zero. */
export const DROP_RESERVED_BITS = 21;
/** Transmit: our own datagram came back out of the tunnel's device. */
export const DROP_CIRCULAR_ROUTE = 22;

// Safety: what a tunnel was told not to pass.
export const DROP_MAC_FROZEN = 23;
export const DROP_UNKNOWN_UNICAST = 24;
export const DROP_STORM_BROADCAST = 25;
export const DROP_STORM_MULTICAST = 26;
export const DROP_STORM_UNKNOWN = 27;
export const DROP_RATE_TRANSMIT = 28;
export const DROP_RATE_RECEIVE = 29;

// Receive, with a multicast group.
export const DROP_OWN_ECHO = 30;

// Either way: a VLAN tag where none is wanted.
export const DROP_VLAN_TAG = 31;

export const DROP_REASON_COUNT = 32;

/** Names by number; the README says what to do about each. Index 0 is no reason. */
export const DROP_REASONS: readonly string[] = [
  'none',
  'short',
  'no_i_flag',
  'vni_unknown',
  'remote_denied',
  'inner_short',
  'smac_invalid',
  'own_mac',
  'ecn',
  'mac_pinned',
  'malformed',
  'tap_write',
  'tx_short',
  'tx_smac_invalid',
  'tx_malformed',
  'no_remote',
  'mtu',
  'unreachable',
  'sock_full',
  'send_failed',
  'rx_overflow',
  'reserved_bits',
  'circular_route',
  'mac_frozen',
  'unknown_unicast',
  'storm_broadcast',
  'storm_multicast',
  'storm_unknown',
  'rate_transmit',
  'rate_receive',
  'own_echo',
  'vlan_tag',
];
