import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { readTunnelChange, readTunnelRequest } from '../../../src/config/tunnel-request.ts';

const usage = (message: string): unknown =>
  expect.objectContaining({
    code: 'ERR_USAGE',
    message: expect.stringContaining(message) as string,
  });

describe('readTunnelRequest()', () => {
  it('reads the keys of a file with the defaults of a file', () => {
    const settings = { id: 42, local: '10.1.1.1', remotes: ['10.1.1.2'], 'mac-learning': false };
    const yaml = `tunnels: { vx42: ${JSON.stringify(settings)} }`;
    const [tunnel] = loadConfig(yaml, 'test').tunnels;
    expect(readTunnelRequest('vx42', settings, 'auto')).toEqual(tunnel);
    expect(readTunnelRequest('vx42', { ...settings, id: '42' }, 'auto')).toEqual(tunnel);
    expect(readTunnelRequest('vx42', settings, 'off')).toEqual({ ...tunnel, offload: 'off' });
  });

  it('refuses all that is wrong at once, by key', () => {
    const wrong = { id: 0, remotes: ['no where'], dstport: 1 };
    expect(() => readTunnelRequest('vx42', wrong, 'auto')).toThrow(usage('Cannot add "vx42": '));
    for (const part of [
      'id: "0" is out of range',
      'remotes[0]: "no where"',
      'dstport: is the word',
    ]) {
      expect(() => readTunnelRequest('vx42', wrong, 'auto')).toThrow(usage(part));
    }
    expect(() => readTunnelRequest('a name', { id: 1 }, 'auto')).toThrow(usage('is not a name'));
    expect(() => readTunnelRequest('vx42', { id: null }, 'auto')).toThrow(usage('null'));
  });
});

describe('readTunnelChange()', () => {
  it('reads what may change', () => {
    expect(readTunnelChange('vx42', { mtu: 1400, learning: false, ageing: '7' })).toEqual({
      ...{ mtu: 1400, learning: false, ageingSeconds: 7, addresses: [] },
    });
    const { addresses } = readTunnelChange('vx42', { addresses: ['10.0.0.1/24'] });
    expect(addresses.map(({ text }) => text)).toEqual(['10.0.0.1/24']);
  });

  it('says of the other keys what to do instead', () => {
    expect(() => readTunnelChange('vx42', { id: 43 })).toThrow(usage('delete it and add it again'));
    expect(() => readTunnelChange('vx42', { remotes: ['10.0.0.1'] })).toThrow(usage('fdb append'));
    expect(() => readTunnelChange('vx42', { mtu: 5 })).toThrow(usage('mtu: "5" is out of range'));
  });
});
