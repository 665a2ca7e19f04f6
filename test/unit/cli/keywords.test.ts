import { describe, expect, it } from 'vitest';
import { parseChange, parseFlush, parseGet, parseShow } from '../../../src/cli/keywords.ts';

const MAC = '52:54:00:3f:e6:43';
const split = (line: string) => line.split(' ').filter((word) => word !== '');

describe('parseChange()', () => {
  it('reads every keyword in any order', () => {
    const expected = {
      mac: MAC,
      dev: 'vx42',
      dst: '192.168.120.20',
      port: 4790,
      vni: 43,
      src_vni: 42,
      via: 'eth0',
      state: 'static',
    };
    const lines = [
      `${MAC} dev vx42 dst 192.168.120.20 port 4790 vni 43 src_vni 42 via eth0 self static`,
      `static self via eth0 src_vni 42 vni 0x2b port 0x12b6 dst 192.168.120.20 dev vx42 to ${MAC}`,
    ];
    for (const line of lines) expect(parseChange('add', split(line))).toEqual(expected);
  });

  it('leaves out what was not said', () => {
    expect(parseChange('add', split(`${MAC} dev vx42 dst 2001:db8::1`))).toEqual({
      mac: MAC,
      dev: 'vx42',
      dst: '2001:db8::1',
    });
    expect(parseChange('del', split(`${MAC} dev vx42`))).toEqual({ mac: MAC, dev: 'vx42' });
  });

  it('takes local as iproute2 does: permanent', () => {
    expect(parseChange('add', split(`${MAC} dev a dst 10.0.0.1 local`)).state).toBe('permanent');
  });

  it.each([
    ['', 'Cannot add without the MAC address'],
    [`${MAC} dst 10.0.0.1`, 'Cannot add without the device'],
    [`${MAC} dev vx42`, 'Cannot add without the destination'],
    [`${MAC} dev vx42 dst`, 'Missing value behind "dst"'],
    [`${MAC} dev vx42 dst 10.0.0`, 'Cannot parse the IP address "10.0.0" of "dst"'],
    [`${MAC} dev vx42 dst fe80::1%eth0`, 'Cannot parse the IP address "fe80::1%eth0" of "dst"'],
    [`${MAC} dev vx42 dst 10.0.0.1 dst 10.0.0.2`, '"dst" is given twice'],
    [`${MAC} dev vx42 dst 10.0.0.1 port 0`, 'Invalid value "0" of "port"'],
    [`${MAC} dev vx42 dst 10.0.0.1 port 65536`, 'Invalid value "65536" of "port"'],
    [`${MAC} dev vx42 dst 10.0.0.1 vni 16777216`, 'Invalid value "16777216" of "vni"'],
    [`${MAC} dev vx42 dst 10.0.0.1 vni -1`, 'Invalid value "-1" of "vni"'],
    [`${MAC} dev vx42 dst 10.0.0.1 vni 1e3`, 'Invalid value "1e3" of "vni"'],
    [`${MAC} dev vx42 dst 10.0.0.1 static dynamic`, 'More than one state: "static" and "dynamic"'],
    [`${MAC} dev vx42 dst 10.0.0.1 master`, 'Cannot use the keyword "master" here'],
    [
      `${MAC} dev vx42 dst 10.0.0.1 bogus`,
      'Cannot understand "bogus": neither a keyword nor a MAC address',
    ],
    [`${MAC} ${MAC} dev vx42 dst 10.0.0.1`, `More than one MAC: "${MAC}" and "${MAC}"`],
    [
      `fdb add ${MAC} dev vx42 dst 10.0.0.1`,
      'Cannot understand "fdb": neither a keyword nor a MAC address',
    ],
  ])('refuses "%s"', (line, message) => {
    expect(() => parseChange('add', split(line))).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message }),
    );
  });
});

describe('parseGet()', () => {
  it('takes bridge fdb get, with brport for dev', () => {
    expect(parseGet(split(`to ${MAC} brport vx42 self`))).toEqual({ mac: MAC, dev: 'vx42' });
    for (const word of ['vni', 'src_vni']) {
      const words = split(`${MAC} dev vx42 ${word} 42`);
      expect(parseGet(words)).toEqual({ mac: MAC, dev: 'vx42', vni: 42 });
    }
  });
});

describe('parseShow()', () => {
  it('reads filters, and no words as no filter', () => {
    expect(parseShow([])).toEqual({});
    expect(parseShow(split('dev vx42 state static'))).toEqual({ dev: 'vx42', state: 'static' });
    expect(parseShow(split(`dynamic dst 10.0.0.1 ${MAC} port 1 vni 2`))).toEqual({
      mac: MAC,
      dst: '10.0.0.1',
      port: 1,
      vni: 2,
      state: 'dynamic',
    });
  });

  it('refuses an unknown state and filters on bridges', () => {
    expect(() => parseShow(['state', 'reachable'])).toThrow('Unknown state "reachable"');
    expect(() => parseShow(['br', 'br0'])).toThrow('Cannot use the keyword "br" here');
  });
});

describe('parseFlush()', () => {
  it('needs a device', () => {
    expect(() => parseFlush(['dynamic'])).toThrow('Cannot flush without the device');
  });

  it('collects states, and takes the others when some are excluded', () => {
    expect(parseFlush(split('dev a'))).toEqual({ dev: 'a' });
    expect(parseFlush(split('dev a dynamic static'))).toEqual({
      dev: 'a',
      states: ['dynamic', 'static'],
    });
    expect(parseFlush(split('dev a nopermanent'))).toEqual({
      dev: 'a',
      states: ['dynamic', 'static'],
    });
    expect(() => parseFlush(split('dev a nopermanent nostatic nodynamic'))).toThrow(
      'Nothing to flush: every state is excluded',
    );
  });
});
