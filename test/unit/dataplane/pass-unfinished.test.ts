import { describe, expect, it } from 'vitest';
import { foldSum } from '../../../src/wire/checksum.ts';
import { sumPseudo } from '../../../src/dataplane/checksum-offload.ts';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import { passUnfinished } from '../../../src/dataplane/pass-unfinished.ts';
import * as vnet from '../../../src/wire/virtio-net.ts';
import { bytesOf } from '../wire/bytes.ts';

const VNET = 0;
const FRAME = 16;
const MACS = '525400000002 525400000001';

/** An IPv4 frame behind a zero virtio_net_hdr; `l4` is the transport part in hex. */
function frame(protocol: string, l4: string): { view: DataView; inner: InnerPacket } {
  const bytes = l4.replaceAll(' ', '').length / 2;
  const total = (20 + bytes).toString(16).padStart(4, '0');
  const ip = `4500 ${total} 0000 4000 40 ${protocol} 0000 0a000001 0a000002`;
  const view = bytesOf(`${'00'.repeat(16)} ${MACS} 0800 ${ip} ${l4}`);
  const inner = new InnerPacket();
  inner.parse(view, FRAME, view.byteLength - FRAME);
  return { view, inner };
}

function leaveUnfinished(view: DataView, inner: InnerPacket, field: number): void {
  view.setUint16(inner.l4 + field, foldSum(sumPseudo(view, inner)));
}

function request(view: DataView): Record<string, number> {
  return {
    flags: vnet.readVnetFlags(view, VNET),
    type: vnet.readVnetGsoType(view, VNET),
    header: vnet.readVnetHdrLen(view, VNET),
    size: vnet.readVnetGsoSize(view, VNET),
    start: vnet.readVnetCsumStart(view, VNET),
    field: vnet.readVnetCsumOffset(view, VNET),
  };
}

const NOTHING = { flags: 0, type: 0, header: 0, size: 0, start: 0, field: 0 };
const UDP = 'c000 1389 0010 0000 0011223344556677';
const TCP = `03e8 1451 00000001 00000002 5010 1f40 0000 0000 ${'ab'.repeat(2000)}`;

describe('passUnfinished()', () => {
  it('leaves a finished checksum alone, right or wrong', () => {
    const { view, inner } = frame('11', UDP);
    view.setUint16(inner.l4 + 6, 0x1234);
    passUnfinished(view, VNET, FRAME, inner, 0, 1450);
    expect(request(view)).toEqual(NOTHING);
  });

  it('asks for the checksum of a frame that fits the MTU', () => {
    const { view, inner } = frame('11', UDP);
    leaveUnfinished(view, inner, 6);
    passUnfinished(view, VNET, FRAME, inner, 0, 1450);
    const type = vnet.VIRTIO_NET_HDR_GSO_NONE;
    expect(request(view)).toEqual({ flags: 1, type, header: 42, size: 0, start: 34, field: 6 });
  });

  it('asks for the segments of a UDP super-frame, of the size that was told', () => {
    const { view, inner } = frame('11', UDP);
    leaveUnfinished(view, inner, 6);
    passUnfinished(view, VNET, FRAME, inner, 4, 1450);
    const type = vnet.VIRTIO_NET_HDR_GSO_UDP_L4;
    expect(request(view)).toEqual({ flags: 1, type, header: 42, size: 4, start: 34, field: 6 });
  });

  it('asks for segments of a TCP super-frame as large as the MTU allows', () => {
    const { view, inner } = frame('06', TCP);
    leaveUnfinished(view, inner, 16);
    passUnfinished(view, VNET, FRAME, inner, 0, 1450);
    const type = vnet.VIRTIO_NET_HDR_GSO_TCPV4;
    expect(request(view)).toEqual({ flags: 1, type, header: 54, size: 1410, start: 34, field: 16 });
  });

  it('asks for nothing where the TCP header is cut short', () => {
    const { view, inner } = frame('06', '03e8 1451 00000001 00000002 f010 1f40 0000 0000');
    leaveUnfinished(view, inner, 16);
    passUnfinished(view, VNET, FRAME, inner, 0, 1450);
    expect(request(view)).toEqual(NOTHING);
  });
});
