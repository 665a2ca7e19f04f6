import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { CommandResult } from '../support/host.ts';
import { type Host, Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { NotifySocket } from '../support/notify-socket.ts';
import { repositoryRoot } from '../support/paths.ts';
import { describeIf } from '../support/requires.ts';
import { linkOf, startTunnel, statusOf, tunnelArguments } from '../support/tunnels.ts';
import { addKernelVxlan, runVtepd, startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = {
  namespaces: true,
  tun: true,
  commands: ['ss', 'unshare', 'mount', 'setpriv'],
} as const;
const PROGRAM = join(repositoryRoot(), 'bin', 'vtepd.js');
const USABLE = { local: UNDERLAY.a4, remotes: [UNDERLAY.b4] } as const;

let lab: Lab;
let a: Host;

describeIf(REQUIREMENT, 'the life of a daemon', () => {
  beforeEach(() => {
    lab = new Lab();
    ({ a } = lab.twoHosts());
  });
  afterEach(async () => lab.close());

  /** A socket path that no daemon of this lab has. */
  const freeSocket = (): string => join(lab.folder, 'second.sock');

  /** It failed in words: one error and one hint, no stack, nothing left behind. */
  function expectRefused(result: CommandResult, status: number, words: RegExp): void {
    expect(result.stderr).toMatch(words);
    expect(result.stderr).toMatch(/^error: /m);
    expect(result.stderr).toMatch(/^hint: /m);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.status).toBe(status);
    expect(existsSync(freeSocket()), 'socket of the refused daemon').toBe(false);
  }

  function expectUnharmed(daemon: Vtepd): void {
    expect(daemon.child.running).toBe(true);
    expect(statusOf(daemon).tunnels.map(({ ifname }) => ifname)).toEqual(['vx42']);
    expect(linkOf(a, 'vx42')?.flags).toContain('UP');
  }

  it('forwards ahead of ordinary processes, and only forwards', async () => {
    const daemon = await startTunnel(a, { ...USABLE, arguments: ['--workers', '2'] });
    const tasks = `/proc/${daemon.child.pid}/task`;
    // proc(5): the 19th field is the nice value; the second, the name, may hold spaces.
    const nice = readdirSync(tasks).map((task) => {
      const fields = readFileSync(join(tasks, task, 'stat'), 'utf8').split(') ')[1]!;
      return Number(fields.split(' ')[16]);
    });
    expect(nice.filter((value) => value === -10)).toHaveLength(2);
    expect(nice.every((value) => value === -10 || value === 0)).toBe(true);
  });

  describe('when it is told to stop', () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`ends with status 0 on ${signal} and removes device and socket`, async () => {
        const daemon = await startTunnel(a, USABLE);
        expect(statSync(daemon.socket).mode & 0o777).toBe(0o660);
        expect(linkOf(a, 'vx42')).toBeDefined();
        daemon.child.kill(signal);
        expect(await daemon.child.wait()).toEqual({ status: 0, signal: null });
        expect(linkOf(a, 'vx42')).toBeUndefined();
        expect(existsSync(daemon.socket)).toBe(false);
        expect(a.must('ss', '-Huln')).not.toContain('4789');
      });
    }

    it('leaves nothing that hinders the next one after kill -9', async () => {
      const first = await startTunnel(a, USABLE);
      first.child.kill('SIGKILL');
      await first.child.wait();
      expect(existsSync(first.socket), 'a stale socket').toBe(true);
      const arguments_ = ['--socket', first.socket];
      const second = await startTunnel(a, { ...USABLE, arguments: arguments_ });
      expectUnharmed(second);
      await second.stop();
      expect(existsSync(first.socket)).toBe(false);
    });
  });

  describe('beside another one', () => {
    let first: Vtepd;
    beforeEach(async () => {
      first = await startTunnel(a, USABLE);
    });

    it('leaves its socket alone', () => {
      const other = { ...USABLE, vni: 43, arguments: ['--port', '4790', '--socket', first.socket] };
      expectRefused(runVtepd(a, tunnelArguments(other)), 1, /another vtepd answers there/);
      expect(linkOf(a, 'vx43')).toBeUndefined();
      expectUnharmed(first);
    });

    it('names it as the owner of the port', () => {
      const other = { ...USABLE, vni: 43, arguments: ['--socket', freeSocket()] };
      const owner = new RegExp(`taken by process .*vtepd.* \\(pid ${first.child.pid}\\)`);
      expectRefused(runVtepd(a, tunnelArguments(other)), 1, owner);
      expect(linkOf(a, 'vx43')).toBeUndefined();
      expectUnharmed(first);
    });

    it('does not take its device', () => {
      const same = { ...USABLE, arguments: ['--port', '4790', '--socket', freeSocket()] };
      expectRefused(runVtepd(a, tunnelArguments(same)), 1, /vx42.*another program has it open/);
      expectUnharmed(first);
    });
  });

  describe('where something is missing', () => {
    const argv = (): string[] =>
      tunnelArguments({ ...USABLE, arguments: ['--socket', freeSocket()] });
    const shell = (script: string): CommandResult =>
      a.exec('unshare', '-m', 'sh', '-c', script, process.execPath, PROGRAM, ...argv());

    it('says what to do without /dev/net/tun', () => {
      const result = shell('mount -t tmpfs none /dev/net && exec "$0" "$@"');
      expectRefused(result, 1, /Cannot open \/dev\/net\/tun: ENOENT/);
      expect(result.stderr).toMatch(/modprobe tun.*mknod.*--device \/dev\/net\/tun/s);
    });

    it('says what to do when /dev/net/tun is something else', () => {
      const result = shell('mount --bind /dev/null /dev/net/tun && exec "$0" "$@"');
      expectRefused(result, 1, /TAP/);
    });

    it('says what to do without the right to make devices', () => {
      const words = ['--bounding-set=-net_admin', process.execPath, PROGRAM, ...argv()];
      const result = a.exec('setpriv', ...words);
      expectRefused(result, 1, /EPERM/);
      expect(result.stderr).toMatch(/CAP_NET_ADMIN/);
      expect(linkOf(a, 'vx42')).toBeUndefined();
    });

    it('says what to do for an ordinary user, who may not even make the socket', () => {
      // The one capability lets that user read this repository wherever it lies.
      const read = ['--inh-caps=-all,+dac_read_search', '--ambient-caps=-all,+dac_read_search'];
      const user = ['--reuid=65534', '--regid=65534', '--clear-groups', ...read];
      const result = a.exec('setpriv', ...user, process.execPath, PROGRAM, ...argv());
      expectRefused(result, 1, /Cannot listen on .*EACCES/);
      expect(linkOf(a, 'vx42')).toBeUndefined();
    });

    it('says so when the local address is not of this host', () => {
      const wrong = { local: '192.168.120.99', remotes: [UNDERLAY.b4] };
      const words = tunnelArguments({ ...wrong, arguments: ['--socket', freeSocket()] });
      expectRefused(runVtepd(a, words), 1, /192\.168\.120\.99/);
    });
  });

  describe('with an invalid configuration', () => {
    it('names every problem with its place, ends with 65 and starts nothing', () => {
      const path = lab.file(
        'bad.yaml',
        [
          `socket: ${freeSocket()}`,
          'tunnels:',
          '  good1:',
          '    id: 41',
          `    local: ${UNDERLAY.a4}`,
          `    remotes: [${UNDERLAY.b4}]`,
          '  bad2:',
          '    id: 16777216',
          '    remote: 300.1.1.1',
          '    mtuu: 1400',
        ].join('\n'),
      );
      const result = runVtepd(a, ['--config', path]);
      expectRefused(result, 65, /bad\.yaml:8:\d+: .*16777216/);
      expect(result.stderr).toMatch(/bad\.yaml:9:\d+: .*300\.1\.1\.1/);
      expect(result.stderr).toMatch(/bad\.yaml:10:\d+: .*mtuu/);
      expect(linkOf(a, 'good1')).toBeUndefined();
    });

    it('starts nothing either when only one of several tunnels cannot be opened', () => {
      const path = lab.file(
        'half.yaml',
        [
          `socket: ${freeSocket()}`,
          'tunnels:',
          `  one: { id: 1, local: ${UNDERLAY.a4}, remotes: [${UNDERLAY.b4}] }`,
          `  two: { id: 2, local: 192.168.120.99, remotes: [${UNDERLAY.b4}] }`,
        ].join('\n'),
      );
      expectRefused(runVtepd(a, ['--config', path]), 1, /192\.168\.120\.99/);
      expect(linkOf(a, 'one')).toBeUndefined();
      expect(linkOf(a, 'two')).toBeUndefined();
    });
  });

  describe('under a service manager', () => {
    let manager: NotifySocket;
    beforeEach(() => {
      manager = new NotifySocket(join(lab.folder, 'notify.sock'));
    });
    afterEach(() => manager.close());

    const heard = (pattern: RegExp): boolean =>
      manager.messages().some((message) => pattern.test(message));
    const index = (pattern: RegExp): number =>
      manager.messages().findIndex((message) => pattern.test(message));

    it('tells READY, STATUS, WATCHDOG, RELOADING and STOPPING', async () => {
      const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: '400000' };
      const daemon = await startVtepd(a, tunnelArguments(USABLE), { env });
      await waitFor(() => heard(/^READY=1/m), { what: 'READY' });
      await waitFor(() => heard(/^STATUS=.*1 tunnel/m), { what: 'STATUS' });
      const watchdogs = (): number =>
        manager.messages().filter((message) => message.includes('WATCHDOG=1')).length;
      await waitFor(() => watchdogs() >= 3, { what: 'three signs of life' });
      daemon.child.kill('SIGHUP');
      await waitFor(() => heard(/^RELOADING=1/m), { what: 'RELOADING' });
      expect(manager.messages().find((message) => message.includes('RELOADING'))).toMatch(
        /^MONOTONIC_USEC=\d+$/m,
      );
      await waitFor(
        () =>
          manager
            .messages()
            .slice(index(/^RELOADING=1/m))
            .some((each) => /^READY=1/m.test(each)),
        { what: 'READY after the reload' },
      );
      await daemon.stop();
      expect(heard(/^STOPPING=1/m)).toBe(true);
      expect(index(/^READY=1/m)).toBeLessThan(index(/^STOPPING=1/m));
    });

    it('says nothing of READY when it cannot start', () => {
      const words = [PROGRAM, ...tunnelArguments({ local: '192.168.120.99', remotes: [] })];
      const env = { NOTIFY_SOCKET: manager.path };
      const socket = ['--socket', freeSocket()];
      expect(a.execWith({ env }, process.execPath, ...words, ...socket).status).toBe(1);
      expect(heard(/READY/)).toBe(false);
    });
  });
});

describeIf({ ...REQUIREMENT, kernelVxlan: true }, 'a daemon beside a kernel vxlan device', () => {
  it('names the device that has the port, and ends with 1', async () => {
    const here = new Lab();
    try {
      const hosts = here.twoHosts();
      const [local, remote] = [UNDERLAY.a4, UNDERLAY.b4];
      addKernelVxlan(hosts.a, { name: 'vxk7', vni: 7, local, remote });
      const socket = join(here.folder, 'second.sock');
      const result = runVtepd(
        hosts.a,
        tunnelArguments({ ...USABLE, arguments: ['--socket', socket] }),
      );
      expect(result.stderr).toMatch(/4789.*taken by the kernel vxlan device vxk7/);
      expect(result.stderr).toMatch(/^hint: /m);
      expect(result.status).toBe(1);
      expect(linkOf(hosts.a, 'vx42')).toBeUndefined();
      expect(linkOf(hosts.a, 'vxk7')?.flags).toContain('UP');
    } finally {
      await here.close();
    }
  });
});
