/** The Linux kernel's own vxlan device at both ends. */
import { type Host, type Lab, UNDERLAY } from '../../support/lab.ts';
import { missing } from '../../support/probe.ts';
import { addKernelVxlan } from '../../support/vtepd.ts';
import {
  type Contender,
  holder,
  type Overlay,
  OVERLAY,
  underlayFeatures,
  UNDERLAY_DEVICE,
} from '../contender.ts';

const DEVICE = 'vx42';

/** On a veth, which segments whole tunnelled super-frames: what a NIC with tunnel offload does. */
export const KERNEL = kernelContender('kernel', 'kernel', []);

/** What the kernel does above a NIC that knows nothing of tunnels. */
export const KERNEL_PLAIN = kernelContender('kernel-no-tso', 'kernel, no tunnel offload', [
  'tx-udp_tnl-segmentation',
  'tx-udp_tnl-csum-segmentation',
]);

function kernelContender(name: string, title: string, switchedOff: readonly string[]): Contender {
  const commands = switchedOff.length === 0 ? ['ip'] : ['ip', 'ethtool'];
  return {
    name,
    title,
    obstacle: () => missing({ kernelVxlan: true, commands }),
    start: async (lab) => startDevices(lab, switchedOff),
    flood(overlay, remotes) {
      const entry = `fdb append 00:00:00:00:00:00 dev ${DEVICE} dst`;
      const file = overlay.lab.file('flood', remotes.map((to) => `${entry} ${to}\n`).join(''));
      overlay.a.must('bridge', '-batch', file);
    },
  };
}

function startDevices(lab: Lab, switchedOff: readonly string[]): Overlay {
  const { a, b } = lab.twoHosts();
  for (const host of [a, b]) switchOff(host, switchedOff);
  const ends = [
    { host: a, local: UNDERLAY.a4, remote: UNDERLAY.b4, address: OVERLAY.a },
    { host: b, local: UNDERLAY.b4, remote: UNDERLAY.a4, address: OVERLAY.b },
  ];
  for (const { host, local, remote, address } of ends) {
    addKernelVxlan(host, {
      ...{ name: DEVICE, vni: OVERLAY.vni, local, remote },
      addresses: [`${address}/${OVERLAY.prefix}`],
      // Takes the MTU from the underlay.
      extra: ['dev', UNDERLAY_DEVICE],
    });
  }
  const mtu = (JSON.parse(a.ip('-j', 'link', 'show', DEVICE)) as { mtu: number }[])[0]!.mtu;
  return { ...{ lab, a, b, mtu }, device: DEVICE, offload: underlayFeatures(a), pidB: holder(b) };
}

/** Switches features of a host's underlay device off. */
export function switchOff(host: Host, features: readonly string[]): void {
  if (features.length === 0) return;
  host.must('ethtool', '-K', UNDERLAY_DEVICE, ...features.flatMap((feature) => [feature, 'off']));
}
