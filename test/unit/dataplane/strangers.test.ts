import { beforeEach, describe, expect, it } from 'vitest';

import { STRANGER_BOXES } from '../../../src/dataplane/strangers.ts';
import { TUNNEL_ANY_SENDER, TUNNEL_LEARNING } from '../../../src/dataplane/tunnel-table.ts';
import { DataPath, mappedAddress, VNI } from '../../support/data-path.ts';
import { BROADCAST, udpFrame, vxlan } from '../../support/frames.ts';

let path: DataPath;
let everybody: number;

beforeEach(() => {
  path = new DataPath();
  everybody = path.remote('::', { stranger: true });
  path.tunnel(0, VNI, { flags: TUNNEL_LEARNING | TUNNEL_ANY_SENDER });
  path.tables.strangers.setRow(0, everybody);
});

function hear(source: string): void {
  path.receive([{ bytes: vxlan(VNI, udpFrame('02:00:00:00:00:99', BROADCAST, 'x')), source }]);
}

/** What the main thread finds: `tunnel address` texts. */
function taken(): string[] {
  const address = new Uint8Array(16);
  const found: string[] = [];
  for (let box = 0; box < STRANGER_BOXES; box += 1) {
    const tunnel = path.tables.strangers.take(box, address);
    if (tunnel >= 0) found.push(`${tunnel} ${Buffer.from(address).toString('hex')}`);
  }
  return found;
}

const text = (source: string): string => `0 ${Buffer.from(mappedAddress(source)).toString('hex')}`;

describe('Strangers', () => {
  it('are delivered in the name of everybody, noted once, and not learned', () => {
    hear('192.0.2.7');
    hear('192.0.2.7');
    expect(path.writer.deliveries.map(({ remote }) => remote)).toEqual([everybody, everybody]);
    expect(path.tables.fdb.count).toBe(0);
    expect(taken()).toEqual([text('192.0.2.7')]);
    expect(taken()).toEqual([]);
  });

  it('wait for a box that is taken, and take it when it is free', () => {
    hear('192.0.2.1');
    hear('192.0.2.65');
    expect(taken()).toEqual([text('192.0.2.1')]);
    hear('2001:db8::ffff:ff41');
    expect(taken()).toEqual([text('2001:db8::ffff:ff41')]);
  });

  it('are refused where the tunnel does not take them', () => {
    path.tables.strangers.setRow(0, undefined);
    hear('192.0.2.7');
    path.tables.strangers.setRow(0, everybody);
    path.tunnel(0, VNI);
    hear('192.0.2.7');
    expect(path.drops()).toEqual({ remote_denied: 2 });
    expect(taken()).toEqual([]);
  });
});
