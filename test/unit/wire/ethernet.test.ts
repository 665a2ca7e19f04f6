import { describe, expect, it } from 'vitest';
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  isVlanEtherType,
  l3EtherType,
  l3Offset,
  readEtherType,
} from '../../../src/wire/ethernet.ts';
import { bytesOf } from './bytes.ts';

const MACS = 'ffffffffffff 5254003fe643';

describe('l3Offset()', () => {
  it('finds what an untagged frame carries', () => {
    const frame = bytesOf(`${MACS} 0800 4500`);
    expect(l3Offset(frame, 0, 16)).toBe(14);
    expect(l3EtherType(frame, 14)).toBe(ETHERTYPE_IPV4);
    expect(readEtherType(frame, 0)).toBe(ETHERTYPE_IPV4);
  });

  it('passes one tag and two tags', () => {
    const tagged = bytesOf(`${MACS} 8100 0064 0806 0001`);
    expect(l3Offset(tagged, 0, 20)).toBe(18);
    expect(l3EtherType(tagged, 18)).toBe(ETHERTYPE_ARP);
    const twice = bytesOf(`${MACS} 88a8 0002 8100 0064 0800 4500`);
    expect(l3Offset(twice, 0, 24)).toBe(22);
  });

  it('leaves a third tag to be seen', () => {
    const thrice = bytesOf(`${MACS} 8100 0001 8100 0002 8100 0003 0800`);
    const l3 = l3Offset(thrice, 0, 26);
    expect(isVlanEtherType(l3EtherType(thrice, l3))).toBe(true);
  });

  it('refuses a frame that ends in its headers', () => {
    const twice = bytesOf(`${MACS} 88a8 0002 8100 0064 0800`);
    for (const length of [0, 13, 14, 17, 18, 21]) expect(l3Offset(twice, 0, length)).toBe(-1);
    expect(l3Offset(twice, 0, 22)).toBe(22);
  });

  it('counts from where the frame begins', () => {
    const view = bytesOf(`a5a5a5 ${MACS} 0800`);
    expect(l3Offset(view, 3, 14)).toBe(17);
  });
});
