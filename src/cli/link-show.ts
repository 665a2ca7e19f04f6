import { ApiClient } from '../api/client.ts';
import type { LinkReport } from '../api/link-protocol.ts';
import type { Invocation } from './command.ts';
import { parseLinkName } from './link-words.ts';
import { formatJson } from './output.ts';

/** `link show [dev] [NAME]`, in the form of `ip -d link show`. */
export async function showLinks({ options, words, output }: Invocation): Promise<void> {
  const dev = parseLinkName('show', words);
  const links = await new ApiClient(options.socket).read<LinkReport[]>('/v1/links', { dev });
  output.write(options.json ? formatJson(links, options.pretty) : links.map(formatLink).join(''));
}

/** Three lines as ip prints them, and whether the configuration names the tunnel. */
export function formatLink(link: LinkReport): string {
  const master = link.master === undefined ? '' : ` master ${link.master}`;
  const { info_data: vxlan } = link.linkinfo;
  const local = vxlan.local ?? vxlan.local6;
  const words = [
    `vxlan id ${vxlan.id}`,
    ...link.remotes.map((remote) => `remote ${remote}`),
    ...(local === undefined ? [] : [`local ${local}`]),
    `srcport ${vxlan.port_range.low} ${vxlan.port_range.high}`,
    `dstport ${vxlan.port}`,
    ...(vxlan.learning ? [] : ['nolearning']),
    `ttl ${vxlan.ttl === 0 ? 'auto' : vxlan.ttl}`,
    `ageing ${vxlan.ageing}`,
    link.configured ? 'configured' : 'added at run time',
  ];
  return (
    `${link.ifindex}: ${link.ifname}: <${link.flags.join(',')}> mtu ${link.mtu} qdisc ${link.qdisc}` +
    `${master} state ${link.operstate} mode ${link.linkmode} group ${link.group} qlen ${link.txqlen}\n` +
    `    link/${link.link_type} ${link.address} brd ${link.broadcast}\n` +
    `    ${words.join(' ')}\n`
  );
}
