/** Right frames of every kind that a parser looks into: what the mutations of mutations.ts begin with. */
import { advertisement, arp, linkLayer, MAC_A, solicitation } from './neighbour-frames.ts';
import {
  arpFrame,
  bytesOf,
  concat,
  icmpFrame,
  ipFrame,
  TCP_ACK,
  TCP_SYN,
  tcpFrame,
  udpFrame,
  vxlanDatagram,
} from './packets.ts';

const TAG = [{ id: 10 }];
const TWO_TAGS = [{ tpid: 0x88a8, id: 10 }, { id: 20 }];
/** MSS 1460, SACK permitted, timestamps, no-operation, window scale. */
const SYN_OPTIONS = Uint8Array.of(
  ...[2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7],
);
/** Record route with room for two, no-operation, end. */
const IP_OPTIONS = Uint8Array.of(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0);
const HOP_BY_HOP = [0, Uint8Array.of(0, 0, 5, 2, 0, 0, 1, 0)] as const;
const ROUTING = [43, Uint8Array.of(0, 2, 0, 0, 0, 0, 0, 0, ...bytesOf(16))] as const;
const DESTINATION = [60, Uint8Array.of(0, 1, 1, 4, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0)] as const;
const FRAGMENT = [44, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 7)] as const;
const LATER_FRAGMENT = [44, Uint8Array.of(0, 0, 5, 0xa9, 0, 0, 0, 7)] as const;
const AUTHENTICATION = [51, Uint8Array.of(0, 4, 0, 0, ...bytesOf(20))] as const;

/** BOOTP with DHCP's cookie and options: discover, parameter list, end. */
const DHCP = concat(
  Uint8Array.of(1, 1, 6, 0),
  new Uint8Array(232),
  Uint8Array.of(0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, 4, 1, 3, 6, 15, 255),
);

const SIX = { family: 6 } as const;
const SYN = { flags: TCP_SYN, options: SYN_OPTIONS, payload: new Uint8Array() };
const LONG = { payload: bytesOf(1300) };

/** Ethernet frames, 42 to some 4,000 bytes long; those above 1,500 bytes come last. */
export const CORPUS: readonly Uint8Array[] = [
  arpFrame(),
  arp({ operation: 2, source: '02:00:00:00:00:0b', targetMac: '02:00:00:00:00:0a' }),
  arp({ senderIp: '0.0.0.0', targetIp: '10.0.0.9' }),
  arp({ vlans: TAG }),
  icmpFrame(),
  icmpFrame({ vlans: TAG }),
  icmpFrame({ moreFragments: true, dontFragment: false }),
  icmpFrame({ fragmentOffset: 185, dontFragment: false }),
  icmpFrame({ ipOptions: IP_OPTIONS }),
  udpFrame(),
  udpFrame({ checksum: 'none' }),
  udpFrame({ padding: new Uint8Array(18), payload: new Uint8Array() }),
  udpFrame({ vlans: TWO_TAGS, tos: 1 }),
  udpFrame({ sourcePort: 68, destinationPort: 67, payload: DHCP }),
  udpFrame({ ...SIX, tos: 2 }),
  udpFrame({ ...SIX, extensions: [FRAGMENT] }),
  udpFrame({ ...SIX, extensions: [LATER_FRAGMENT] }),
  tcpFrame(),
  tcpFrame(SYN),
  tcpFrame({ ...SYN, vlans: TAG }),
  tcpFrame({ ...SYN, vlans: TWO_TAGS, ipOptions: IP_OPTIONS }),
  tcpFrame({ ...SYN, ...SIX }),
  tcpFrame({ ...SYN, ...SIX, extensions: [HOP_BY_HOP, ROUTING, DESTINATION] }),
  tcpFrame({ ...SIX, extensions: [HOP_BY_HOP, AUTHENTICATION], flags: TCP_ACK | 8 }),
  tcpFrame({ ...SIX, vlans: TAG }),
  ipFrame({ ...SIX, extensions: [HOP_BY_HOP] }, 59, new Uint8Array()),
  ipFrame({}, 47, concat(Uint8Array.of(0, 0, 0x65, 0x58), arpFrame())),
  ipFrame({}, 4, icmpFrame().subarray(14)),
  solicitation(),
  solicitation({ options: concat(linkLayer(14, '01:02:03:04:05:06'), linkLayer(1, MAC_A)) }),
  solicitation({ sourceIp: '::', options: new Uint8Array() }),
  solicitation({ extensions: [HOP_BY_HOP] }),
  advertisement(),
  advertisement({ vlans: TAG }),
  advertisement({ type: 134, options: linkLayer(1, MAC_A) }),
  udpFrame({ destinationPort: 4789, payload: vxlanDatagram(42, arpFrame()) }),
  udpFrame({ ...SIX, destinationPort: 4789, payload: vxlanDatagram(42, tcpFrame(SYN)) }),
  tcpFrame(LONG),
  udpFrame({ ...SIX, ...LONG }),
  tcpFrame({ payload: bytesOf(4000), checksum: 'partial' }),
  udpFrame({ ...SIX, payload: bytesOf(3500), checksum: 'partial' }),
];
