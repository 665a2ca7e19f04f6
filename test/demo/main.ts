/**
 * `npm run demo`: the main job on one machine. Two network namespaces are two hosts, a veth pair is the
 * network between them, and a tunnel joins them into one Ethernet segment.
 *
 * Whatever happens, an error or Ctrl-C, all of it is taken down again, unless `--keep` is given.
 */
import type { Host } from '../support/lab.ts';
import { Lab, UNDERLAY } from '../support/lab.ts';
import { reach, throughput } from '../support/measure.ts';
import { findCommand, missing } from '../support/probe.ts';
import { fdbTable } from './fdb-table.ts';
import { Narrator } from './narrator.ts';
import { type DemoOptions, parseDemoOptions, USAGE } from './options.ts';
import {
  deviceMtu,
  type EndOptions,
  kernelCommands,
  startDaemonEnd,
  startKernelEnd,
  type TunnelEnd,
  vtepdCommand,
} from './tunnel-end.ts';

const STEPS = 6;
const OVERLAY_A = '10.0.0.1';
const OVERLAY_B = '10.0.0.2';

async function main(argv: readonly string[]): Promise<number> {
  let options: DemoOptions | undefined;
  try {
    options = parseDemoOptions(argv);
  } catch (error) {
    return complain((error as Error).message, 'npm run demo -- --help', 2);
  }
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const obstacle = findObstacle(options);
  if (obstacle !== undefined) return complain(obstacle.reason, obstacle.hint, 1);
  return perform(options);
}

/** What this machine lacks for the demo, and what to do about it. */
function findObstacle(options: DemoOptions): { reason: string; hint: string } | undefined {
  const all: { reason: string | undefined; hint: string }[] = [
    { reason: rootReason(), hint: 'sudo npm run demo' },
    { reason: missing({ commands: ['ip'] }), hint: 'install iproute2 (apt install iproute2)' },
    {
      reason: missing({ tun: true }),
      hint: 'modprobe tun; in a container: --device /dev/net/tun --cap-add NET_ADMIN',
    },
    {
      reason: missing({ namespaces: true }),
      hint: 'in a container: --privileged, or use a virtual machine',
    },
    {
      reason: options.kernel ? missing({ kernelVxlan: true }) : undefined,
      hint: 'modprobe vxlan, or run the demo without --kernel: vtepd needs no such module',
    },
  ];
  const first = all.find(({ reason }) => reason !== undefined);
  return first?.reason === undefined ? undefined : { reason: first.reason, hint: first.hint };
}

function rootReason(): string | undefined {
  if (missing({ root: true }) === undefined) return undefined;
  return 'The demo makes network namespaces and devices, which only root may do';
}

async function perform(options: DemoOptions): Promise<number> {
  const say = new Narrator(STEPS);
  const lab = new Lab('vtdemo', { signals: false });
  let interrupted = false;
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!interrupted) say.headline(`Interrupted (${signal})`);
        interrupted = true;
        resolve();
      });
    }
  });
  const story = new Narrator(STEPS);
  const show = play(lab, options, story);
  show.catch(() => undefined);
  let status = 0;
  try {
    const ends = await Promise.race([show, signalled]);
    if (options.keep && ends !== undefined) {
      lab.keep();
      explainKept(lab, ends, say);
      return 0;
    }
  } catch (error) {
    say.headline('The demo failed');
    console.log((error as Error).message);
    status = 1;
  }
  // After an interruption its processes end under it: what it says then is of no interest.
  story.silence();
  await takeDown(lab, say);
  if (interrupted) return 130;
  if (status === 0) explainNext(options, say);
  return status;
}

/** The six steps. The lab is the caller's to close. */
async function play(lab: Lab, options: DemoOptions, say: Narrator): Promise<TunnelEnd[]> {
  say.step('Two hosts and the network between them (the underlay)');
  const { a, b } = lab.twoHosts();
  say.line(`host a ${UNDERLAY.a4}  <--- veth, MTU 1500 --->  host b ${UNDERLAY.b4}`);
  say.line(`network namespaces ${a.namespace} and ${b.namespace}`);

  const address = { a: `${OVERLAY_A}/24`, b: `${OVERLAY_B}/24` };
  const optionsA = { host: a, local: UNDERLAY.a4, remote: UNDERLAY.b4, address: address.a };
  const optionsB = { host: b, local: UNDERLAY.b4, remote: UNDERLAY.a4, address: address.b };
  say.step('Host a: vtepd');
  const endA = await daemonEnd(optionsA, say);
  say.step(options.kernel ? "Host b: the Linux kernel's vxlan device" : 'Host b: vtepd');
  const endB = options.kernel ? kernelEnd(optionsB, say) : await daemonEnd(optionsB, say);

  say.step(`Host a asks host b through the tunnel (the overlay): ${OVERLAY_B}`);
  await askThroughTunnel(a, b, say);
  say.step(`TCP through the tunnel, ${options.seconds} s each way`);
  await transferBothWays(a, b, options.seconds, say);

  say.step('The forwarding databases (FDB): which MAC is behind which host');
  say.command('a', 'vtep fdb show');
  say.command('b', options.kernel ? 'bridge fdb show dev vx42' : 'vtep fdb show');
  const sides = [endA, endB].map((end) => ({ host: end.host.name, rows: end.fdb() }));
  for (const line of fdbTable(sides)) say.line(line);
  return [endA, endB];
}

async function daemonEnd(options: EndOptions, say: Narrator): Promise<TunnelEnd> {
  say.command(options.host.name, vtepdCommand(options));
  const end = await startDaemonEnd(options);
  say.line(`ready: device vx42 with ${options.address} and MTU ${deviceMtu(end)}`);
  return end;
}

function kernelEnd(options: EndOptions, say: Narrator): TunnelEnd {
  for (const command of kernelCommands(options)) say.command(options.host.name, command);
  const end = startKernelEnd(options);
  say.line(`ready: device vx42 with ${options.address} and MTU ${deviceMtu(end)}`);
  return end;
}

async function askThroughTunnel(a: Host, b: Host, say: Narrator): Promise<void> {
  if (findCommand('ping') === undefined) {
    say.line('ping is not installed here: UDP datagrams, which a small program on b sends back');
  } else say.command('a', `ping -c 5 ${OVERLAY_B}`);
  const answer = await reach({ from: a, to: b, address: OVERLAY_B });
  if (answer.received === 0) throw new Error(`Reach ${OVERLAY_B} through the tunnel: no answer`);
  const { received, sent, meanMs } = answer;
  say.line(`${received} of ${sent} answered, ${meanMs.toFixed(2)} ms on average`);
}

async function transferBothWays(a: Host, b: Host, seconds: number, say: Narrator): Promise<void> {
  if (findCommand('iperf3') === undefined)
    say.line('iperf3 is not installed here: a small sender and receiver of our own');
  const flows = [
    { sender: a, receiver: b, senderAddress: OVERLAY_A, receiverAddress: OVERLAY_B },
    { sender: b, receiver: a, senderAddress: OVERLAY_B, receiverAddress: OVERLAY_A },
  ];
  for (const flow of flows) {
    const { bitsPerSecond, bytes } = await throughput({ ...flow, seconds });
    const gigabits = (bitsPerSecond / 1e9).toFixed(2);
    const megabytes = Math.round(bytes / 1e6);
    say.line(
      `${flow.sender.name} to ${flow.receiver.name}: ${gigabits} Gbit/s (${megabytes} MB arrived)`,
    );
  }
}

async function takeDown(lab: Lab, say: Narrator): Promise<void> {
  say.headline('Taking everything down');
  await lab.close();
  say.line('daemons stopped, namespaces and their devices removed');
}

function explainKept(lab: Lab, ends: readonly TunnelEnd[], say: Narrator): void {
  say.headline('The lab stays up (--keep)');
  for (const { host, daemon } of ends) {
    say.line(`ip netns exec ${host.namespace} sh         # a shell on host ${host.name}`);
    if (daemon !== undefined) say.line(`tail -f ${daemon.log}   # what its vtepd says`);
  }
  const [a, b] = ends;
  say.line(`ip netns exec ${a!.host.namespace} ping ${OVERLAY_B}`);
  for (const end of [a!, b!]) say.line(end.fdbCommand);
  say.headline('To remove it');
  const pids = ends.flatMap(({ daemon }) => (daemon === undefined ? [] : [daemon.pid]));
  const names = ends.map(({ host }) => `ip netns del ${host.namespace}`);
  say.line([`kill ${pids.join(' ')}`, ...names, `rm -r ${lab.folder}`].join('; '));
}

function explainNext(options: DemoOptions, say: Narrator): void {
  say.headline('What next');
  if (!options.kernel) say.line("npm run demo -- --kernel   the kernel's vxlan device as host b");
  say.line('npm run demo -- --keep     leaves the lab up, to try things in it');
  say.line('npm test                   runs every test');
  say.line('Between two real hosts (as root, addresses swapped on the other one):');
  say.line('  node bin/vtepd.js --vni 42 --local 192.168.120.10 --remote 192.168.120.20 \\');
  say.line('    --name vx42 --address 10.0.0.1/24');
}

function complain(message: string, hint: string, status: number): number {
  console.error(`error: ${message}\nhint: ${hint}`);
  return status;
}

// Not exitCode: after an interruption the play still waits for processes that are gone.
process.exit(await main(process.argv.slice(2)));
