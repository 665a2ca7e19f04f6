import type { LinkVerb } from '../api/link-protocol.ts';
import type { Command } from './command.ts';

function changeCommand(
  verb: LinkVerb,
  summary: string,
  usage: readonly string[],
  details: Pick<Command, 'notes' | 'examples'>,
): Command {
  return {
    name: `link ${verb}`,
    summary,
    usage,
    ...details,
    takesBatch: true,
    run: async (invocation) => (await import('./link-change.ts')).changeLinks(verb, invocation),
  };
}

/** The verbs of `vtep link`, in the order of the help. */
export const LINK_COMMANDS: readonly Command[] = [
  changeCommand(
    'add',
    'add a tunnel',
    [
      'link add [dev] NAME type vxlan id VNI [local IP] [remote IP]… [dstport PORT]',
      '         [[no]learning] [ageing SECONDS] [mtu BYTES|auto] [up]',
      '         [address LLADDR] [address IP/PREFIXLEN]…',
      'link add --batch FILE',
    ],
    {
      notes: [
        'The words of ip link add … type vxlan, in any order. As there, the device is down without up; unlike',
        'there, dstport is 4789, and remote may be repeated. A failure leaves nothing behind. The tunnel lives',
        'until it is deleted or the daemon ends: what is to stay belongs into the configuration.',
        '--batch FILE (or - for standard input) takes one link a line, without the verb; all or none.',
      ],
      examples: [
        'vtep link add vx42 type vxlan id 42 local 192.168.120.10 remote 192.168.120.20 up',
        'vtep link add --batch links.txt',
      ],
    },
  ),
  changeCommand(
    'set',
    'change a tunnel while it runs',
    [
      'link set [dev] NAME [up|down] [mtu BYTES|auto] [learning on|off] [ageing SECONDS]',
      '         [address LLADDR] [address IP/PREFIXLEN]…',
    ],
    {
      notes: [
        'All of it or nothing. VNI, local and port of a tunnel cannot change: delete it and add it again.',
        'Remotes are the FDB: vtep fdb append 00:00:00:00:00:00 dev NAME dst IP. Everything else of the device',
        '(master, alias, …) is for ip link set.',
      ],
      examples: ['vtep link set vx42 mtu 1400 ageing 600', 'vtep link set vx42 down'],
    },
  ),
  changeCommand(
    'del',
    'delete a tunnel',
    ['link del [dev] NAME [type vxlan]', 'link del --batch FILE'],
    {
      notes: [
        'With its device, its FDB entries and its remotes. One that the configuration names comes back with the',
        'next start of the daemon. A tunnel that does not exist is an error (exit 4).',
      ],
      examples: ['vtep link del vx42'],
    },
  ),
  {
    name: 'link show',
    summary: 'show tunnels as ip -d link show does',
    usage: ['link [show] [[dev] NAME] [type vxlan]'],
    notes: [
      '-j prints the keys of ip -j -d link show for devices of type vxlan, then ours: configured (false for a',
      'tunnel that was added at run time) and remotes (the whole flood list).',
    ],
    examples: ['vtep link show vx42', 'vtep -j link show | jq -r ".[].linkinfo.info_data.id"'],
    run: async (invocation) => (await import('./link-show.ts')).showLinks(invocation),
  },
];
