import { describe, expect, it } from 'vitest';
import { deviceMac } from '../../../src/daemon/device-mac.ts';

const seed = { local: '192.0.2.1', name: 'vx42', vni: 42 };

describe('deviceMac()', () => {
  it('is the same for the same host and tunnel', () => {
    expect(deviceMac(seed, 'machine')).toEqual(deviceMac({ ...seed }, 'machine'));
  });

  it('differs by each part of its seed', () => {
    const macs = [
      deviceMac(seed, 'machine'),
      deviceMac(seed, 'another machine'),
      deviceMac({ ...seed, local: '192.0.2.2' }, 'machine'),
      deviceMac({ ...seed, name: 'vx43' }, 'machine'),
      deviceMac({ ...seed, vni: 43 }, 'machine'),
    ];
    expect(new Set(macs.map(({ high, low }) => `${high} ${low}`)).size).toBe(macs.length);
  });

  it('is unicast and locally administered', () => {
    for (let vni = 1; vni < 500; vni += 1) {
      const firstByte = deviceMac({ ...seed, vni }, 'machine').high >>> 8;
      expect(firstByte & 0x03).toBe(0x02);
    }
  });
});
