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

export const DROP_REASON_COUNT = 21;

/** Name, direction and what to do about it, by number; index 0 is no reason. */
export const DROP_REASONS: readonly { name: string; direction: 'rx' | 'tx'; advice: string }[] = [
  { name: 'none', direction: 'rx', advice: '' },
  { name: 'short', direction: 'rx', advice: 'something that is not VXLAN is sent to the port' },
  { name: 'no_i_flag', direction: 'rx', advice: 'something that is not VXLAN is sent to the port' },
  {
    name: 'vni_unknown',
    direction: 'rx',
    advice: 'the other end uses another VNI, or a tunnel is missing here',
  },
  {
    name: 'remote_denied',
    direction: 'rx',
    advice: 'add the sender to the remotes of the tunnel, or leave it out on purpose',
  },
  {
    name: 'inner_short',
    direction: 'rx',
    advice: 'the other end sends frames without a whole Ethernet header',
  },
  {
    name: 'smac_invalid',
    direction: 'rx',
    advice: 'the other end sends a zero or multicast source MAC',
  },
  {
    name: 'own_mac',
    direction: 'rx',
    advice: 'the own MAC comes back: two hosts with one MAC, or a loop',
  },
  {
    name: 'ecn',
    direction: 'rx',
    advice: 'the underlay marked congestion on a frame whose sender does not know ECN (RFC 6040)',
  },
  {
    name: 'mac_pinned',
    direction: 'rx',
    advice:
      'a MAC with a static entry arrives from another remote: correct the entry, or find the spoofer',
  },
  { name: 'malformed', direction: 'rx', advice: 'merged datagrams could not be told apart' },
  {
    name: 'tap_write',
    direction: 'rx',
    advice: 'the TAP device is down, or its queue refused the frame: ip link set NAME up',
  },
  { name: 'tx_short', direction: 'tx', advice: 'a frame on the TAP has no whole Ethernet header' },
  {
    name: 'tx_smac_invalid',
    direction: 'tx',
    advice: 'a frame on the TAP has a zero or multicast source MAC',
  },
  {
    name: 'tx_malformed',
    direction: 'tx',
    advice: 'a super-frame on the TAP has headers that contradict its offload request',
  },
  { name: 'no_remote', direction: 'tx', advice: 'no FDB entry and no flood list: add a remote' },
  {
    name: 'mtu',
    direction: 'tx',
    advice: 'larger than the path: lower the MTU of the TAP or raise that of the underlay',
  },
  {
    name: 'unreachable',
    direction: 'tx',
    advice: 'no route to the remote, or its host says that nobody listens there',
  },
  {
    name: 'sock_full',
    direction: 'tx',
    advice: 'the underlay is slower than the overlay: shape the senders',
  },
  {
    name: 'send_failed',
    direction: 'tx',
    advice: 'the kernel refused a datagram, often a firewall on the output path',
  },
  {
    name: 'rx_overflow',
    direction: 'rx',
    advice:
      'datagrams came faster than they were forwarded; a larger buffer helps against bursts only',
  },
];
