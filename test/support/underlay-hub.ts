/** Several hosts on one underlay segment: a host `hub` with a bridge, and a cable to each. */
import type { Host, Lab } from './lab.ts';

export interface HubHost {
  readonly host: Host;
  /** Underlay address. */
  readonly address: string;
}

/** Hosts of these names, 192.168.120.10, .20, .30, … each on `eth0`. */
export function hubOf(lab: Lab, names: readonly string[]): HubHost[] {
  const hub = lab.host('hub');
  hub.ip('link', 'add', 'br0', 'type', 'bridge');
  hub.ip('link', 'set', 'br0', 'up');
  return names.map((name, index) => {
    const host = lab.host(name);
    const address = `192.168.120.${(index + 1) * 10}`;
    const link = lab.link(hub, host, { b: [`${address}/24`] });
    hub.ip('link', 'set', link.a, 'master', 'br0');
    return { host, address };
  });
}
