import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { runCommand } from '../support/host.ts';
import { Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { bootMachine, type Machine, MACHINE_REQUIREMENT } from '../support/machine.ts';
import { reach } from '../support/measure.ts';
import { repositoryRoot } from '../support/paths.ts';
import { describeIf } from '../support/requires.ts';
import { addKernelVxlan } from '../support/vtepd.ts';

const PACKAGE = '/usr/lib/node_modules/vtepd';
const UNIT = 'vtepd.service';
const CAP_NET_ADMIN = 1 << 12;
/** Tenths; what is left is the network itself, one capability and the JIT compiler. */
const EXPOSURE_MAX = 20;

const CONFIGURATION = `tunnels:
  vx42:
    mode: vxlan
    id: 42
    local: ${UNDERLAY.a4}
    remotes: [${UNDERLAY.b4}]
    addresses: [10.0.0.1/24]
`;

/** Packs the repository and installs it as the README says, below `folder` instead of `/`. */
function installPackage(lab: Lab, folder: string): void {
  const run = (...args: string[]): void => {
    const options = { timeoutMs: 120_000 };
    const result = runCommand(options, 'sh', ['-c', 'cd "$0" && exec "$@"', ...args]);
    if (result.status !== 0) throw new Error(`Run "${args.join(' ')}": ${result.stderr}`);
  };
  // dist/ is built already, and a build in the middle of the tests would pull it away from others.
  run(repositoryRoot(), 'npm', 'pack', '--ignore-scripts', '--pack-destination', lab.folder);
  const archive = readdirSync(lab.folder).find((name) => name.endsWith('.tgz'))!;
  const quick = ['--prefer-offline', '--no-audit', '--no-fund'];
  const prefix = join(folder, 'usr');
  mkdirSync(prefix, { recursive: true });
  run(lab.folder, 'npm', 'install', '--global', '--prefix', prefix, ...quick, `./${archive}`);
  // The service's PATH is systemd's; a Node from elsewhere (nvm, a CI image) comes along.
  if (!['/usr/bin/node', '/usr/local/bin/node'].some((path) => existsSync(path))) {
    mkdirSync(join(prefix, 'bin'), { recursive: true });
    run(folder, 'cp', '-L', process.execPath, 'usr/bin/node');
  }
}

describeIf(
  { ...MACHINE_REQUIREMENT, kernelVxlan: true },
  'the service under a real systemd',
  () => {
    const deviceMode = statSync('/dev/net/tun', { throwIfNoEntry: false })?.mode;
    let lab: Lab;
    let machine: Machine;

    beforeAll(async () => {
      lab = new Lab();
      const { a, b } = lab.twoHosts();
      const tunnel = { vni: 42, local: UNDERLAY.b4, remote: UNDERLAY.a4 };
      addKernelVxlan(b, { ...tunnel, addresses: ['10.0.0.2/24'] });
      const layer = join(lab.folder, 'layer');
      installPackage(lab, layer);
      machine = await bootMachine(lab, a, layer);
      // What udev does on a real host. The node is the machine's own.
      machine.must('chmod', '0666', '/dev/net/tun');
      machine.must('systemd-sysusers', `${PACKAGE}/systemd/sysusers.d/vtepd.conf`);
      machine.must('systemd-tmpfiles', '--create', `${PACKAGE}/systemd/tmpfiles.d/vtepd.conf`);
      machine.write('/etc/vtepd/vtepd.yaml', CONFIGURATION);
      machine.must('mkdir', '-p', '/etc/systemd/system/vtepd.service.d');
      // The packaged ten seconds would make the test of the watchdog wait that long.
      machine.write('/etc/systemd/system/vtepd.service.d/test.conf', '[Service]\nWatchdogSec=2\n');
    }, 180_000);

    afterAll(async () => {
      await machine?.powerOff();
      await lab?.close();
    });

    /** The peer's ping through the tunnel is answered; retried, for neighbour entries outlive a restart. */
    async function expectTraffic(): Promise<void> {
      const [from, to] = [lab.host('b'), lab.host('a')];
      await waitFor(
        async () => (await reach({ from, to, address: '10.0.0.1', count: 1 })).received > 0,
        {
          timeoutMs: 15_000,
          what: () => `a ping through the tunnel\n${machine.journal(UNIT)}`,
        },
      );
    }

    /** Waits for the service to be up as another process than `pid`. */
    async function restarted(pid: string): Promise<void> {
      await waitFor(
        () =>
          machine.property(UNIT, 'ActiveState') === 'active' &&
          !['0', pid].includes(machine.property(UNIT, 'MainPID')),
        { timeoutMs: 20_000, what: () => `a restart\n${machine.journal(UNIT)}` },
      );
    }

    it('has a unit without mistakes and with little exposure', () => {
      const unit = `${PACKAGE}/systemd/vtepd.service`;
      const verdict = machine.exec('systemd-analyze', 'verify', '--man=no', unit);
      expect(verdict).toMatchObject({ status: 0, stderr: '' });
      const words = ['security', '--offline=true', '--no-pager', `--threshold=${EXPOSURE_MAX}`];
      const exposure = machine.exec('systemd-analyze', ...words, unit);
      expect(exposure.status, exposure.stdout).toBe(0);
    });

    it('starts, says that it is ready and how it is', async () => {
      const start = machine.exec(
        'systemctl',
        'enable',
        '--now',
        `${PACKAGE}/systemd/vtepd.service`,
      );
      expect(start.status, start.stderr + machine.journal(UNIT)).toBe(0);
      expect(machine.property(UNIT, 'ActiveState')).toBe('active');
      await expectTraffic();
      await waitFor(() => /1 tunnel/.test(machine.property(UNIT, 'StatusText')), {
        what: 'a status text that names the tunnel',
      });
    });

    it('runs as its own user with one capability', () => {
      const status = machine.must('cat', `/proc/${machine.property(UNIT, 'MainPID')}/status`);
      const uid = machine.must('id', '-u', 'vtepd').trim();
      expect(uid).not.toBe('0');
      expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(uid);
      for (const set of ['CapEff', 'CapBnd']) {
        const bits = new RegExp(`^${set}:\\s+([0-9a-f]+)`, 'm').exec(status)?.[1];
        expect(Number.parseInt(bits ?? '', 16), set).toBe(CAP_NET_ADMIN);
      }
    });

    it('answers vtep on its socket, which strangers cannot open', () => {
      const fdb = JSON.parse(machine.must('vtep', '-j', 'fdb', 'show', 'dev', 'vx42')) as unknown[];
      expect(fdb).toContainEqual(expect.objectContaining({ dst: UNDERLAY.b4, ifname: 'vx42' }));
      const mode = machine.must('stat', '-c', '%a %U %G', '/run/vtepd', '/run/vtepd/vtepd.sock');
      expect(mode.trim().split('\n')).toEqual(['750 vtepd vtepd', '660 vtepd vtepd']);
    });

    it('is back after kill -9', async () => {
      await restarted(machine.killMain(UNIT, 'KILL'));
      await expectTraffic();
    });

    it('is restarted by the watchdog when it hangs', async () => {
      await restarted(machine.killMain(UNIT, 'STOP'));
      await expectTraffic();
      const journal = machine.must('journalctl', '--no-pager', '-u', UNIT);
      expect(journal).toMatch(/Watchdog timeout/);
    });

    it('stops in order and takes its device along', () => {
      machine.must('systemctl', 'stop', UNIT);
      expect(machine.property(UNIT, 'Result')).toBe('success');
      expect(machine.property(UNIT, 'ExecMainStatus')).toBe('0');
      expect(machine.exec('ip', 'link', 'show', 'vx42').status).not.toBe(0);
      expect(machine.exec('test', '-e', '/run/vtepd/vtepd.sock').status).not.toBe(0);
    });

    it('refuses an invalid configuration once and for all', async () => {
      machine.write('/etc/vtepd/vtepd.yaml', `${CONFIGURATION}    colour: green\n`);
      expect(machine.exec('systemctl', 'start', UNIT).status).not.toBe(0);
      await waitFor(() => machine.property(UNIT, 'ActiveState') === 'failed', {
        what: 'the failure',
      });
      expect(machine.property(UNIT, 'ExecMainStatus')).toBe('65');
      expect(machine.journal(UNIT)).toMatch(/vtepd\.yaml:8:5: .*colour/);
    });

    it('leaves the device node of this machine as it was', () => {
      expect(statSync('/dev/net/tun', { throwIfNoEntry: false })?.mode).toBe(deviceMode);
    });
  },
);
