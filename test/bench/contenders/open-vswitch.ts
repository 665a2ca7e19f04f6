/**
 * Open vSwitch with its userspace datapath at both ends: two bridges, one that holds the veth and carries the
 * underlay address, one that holds the tunnel port and is the overlay's device.
 *
 * Database and switch run by hand from folders of the lab, so that an installed service is neither needed
 * nor touched.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Host, type Lab, UNDERLAY, waitFor } from '../../support/lab.ts';
import { missing } from '../../support/probe.ts';
import {
  type Contender,
  type Overlay,
  OVERLAY,
  underlayFeatures,
  UNDERLAY_DEVICE,
} from '../contender.ts';
import { switchOff } from './kernel.ts';

const DEVICE = 'br-over';
const UNDERLAY_BRIDGE = 'br-under';
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
/** What VXLAN takes of the underlay's 1500 bytes over IPv4. */
const MTU = 1450;
const COMMANDS = ['ovsdb-server', 'ovs-vswitchd', 'ovsdb-tool', 'ovs-vsctl', 'ethtool'];

export const OPEN_VSWITCH: Contender = {
  name: 'ovs',
  title: 'Open vSwitch userspace',
  obstacle: () => missing({ namespaces: true, tun: true, commands: COMMANDS, files: [SCHEMA] }),
  async start(lab: Lab): Promise<Overlay> {
    const { a, b } = lab.twoHosts();
    const ends = [
      { host: a, local: UNDERLAY.a4, remote: UNDERLAY.b4, address: OVERLAY.a },
      { host: b, local: UNDERLAY.b4, remote: UNDERLAY.a4, address: OVERLAY.b },
    ];
    const switches = await Promise.all(ends.map(startSwitch));
    const offload = `userspace-tso-enable false; ${underlayFeatures(a)}`;
    return { ...{ lab, a, b, offload }, device: DEVICE, mtu: MTU, pidB: switches[1]! };
  },
};

interface End {
  readonly host: Host;
  readonly local: string;
  readonly remote: string;
  readonly address: string;
}

/** Returns the switch's process id. */
async function startSwitch({ host, local, remote, address }: End): Promise<number> {
  const folder = join(host.folder, `ovs-${host.name}`);
  mkdirSync(folder);
  const folders = ['OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR'];
  const env = Object.fromEntries(folders.map((name) => [name, folder]));
  // The switch itself computes no checksum that the kernel left to the device.
  switchOff(host, ['tx']);
  host.ip('address', 'flush', 'dev', UNDERLAY_DEVICE);

  const database = join(folder, 'conf.db');
  const socket = join(folder, 'db.sock');
  host.must('ovsdb-tool', 'create', database, SCHEMA);
  const quiet = '-vconsole:warn';
  const control = (name: string): string => `--unixctl=${join(folder, `${name}.ctl`)}`;
  const server = ['ovsdb-server', database, `--remote=punix:${socket}`, control('db'), quiet];
  host.spawnWith(env, server[0]!, ...server.slice(1));
  const vsctl = (...words: string[]): void => {
    const result = host.execWith({ env }, 'ovs-vsctl', `--db=unix:${socket}`, '-t', '20', ...words);
    if (result.status !== 0)
      throw new Error(`Run "ovs-vsctl ${words.join(' ')}": ${result.stderr}`);
  };
  await waitFor(() => (vsctl('--no-wait', 'init'), true), { what: 'the database of Open vSwitch' });
  const program = host.spawnWith(env, 'ovs-vswitchd', `unix:${socket}`, control('switch'), quiet);

  const netdev = ['datapath_type=netdev'];
  vsctl(
    ...['add-br', UNDERLAY_BRIDGE, '--', 'set', 'bridge', UNDERLAY_BRIDGE, ...netdev, '--'],
    ...['add-port', UNDERLAY_BRIDGE, UNDERLAY_DEVICE],
  );
  bringUp(host, UNDERLAY_BRIDGE, `${local}/24`);
  const port = 'vxlan0';
  vsctl(
    ...['add-br', DEVICE, '--', 'set', 'bridge', DEVICE, ...netdev, '--'],
    ...['set', 'interface', DEVICE, `mtu_request=${MTU}`, '--'],
    ...['add-port', DEVICE, port, '--', 'set', 'interface', port, 'type=vxlan'],
    ...[`options:key=${OVERLAY.vni}`, `options:remote_ip=${remote}`, `options:local_ip=${local}`],
  );
  bringUp(host, DEVICE, `${address}/${OVERLAY.prefix}`);
  return program.pid;
}

function bringUp(host: Host, device: string, address: string): void {
  host.ip('address', 'add', address, 'dev', device);
  host.ip('link', 'set', device, 'up');
}
