import type { RemoteKey } from '../fdb/remotes.ts';
import type { FdbContext } from './fdb-apply.ts';
import type { TunnelInfo } from './tunnel-directory.ts';

/** Of one tunnel: more members than a segment has VTEPs, and few enough that forged ones fill no table. */
const ADMITTED_MAX = 1024;

/**
 * Remotes that nobody named: they were heard in the tunnel's multicast group, and may send since. They
 * are not on the flood list, for the group reaches them. Main thread only.
 */
export class AdmittedRemotes {
  readonly #context: FdbContext;
  readonly #byTunnel = new Map<number, Set<number>>();

  constructor(context: FdbContext) {
    this.#context = context;
  }

  has(tunnel: number, index: number): boolean {
    return this.#byTunnel.get(tunnel)?.has(index) ?? false;
  }

  list(tunnel: number): number[] {
    return [...(this.#byTunnel.get(tunnel) ?? [])];
  }

  /**
   * Lets a remote send to the tunnel; its row, or undefined when it may already or the tunnel has too many
   * such remotes. Throws ERR_LIMIT when the table of remotes is full.
   */
  admit(
    tunnel: TunnelInfo,
    { address, scope }: Pick<RemoteKey, 'address' | 'scope'>,
  ): number | undefined {
    const { remotes } = this.#context.tables;
    if (remotes.findSender(tunnel.index, address, 0) >= 0) return undefined;
    let admitted = this.#byTunnel.get(tunnel.index);
    if (admitted === undefined) {
      admitted = new Set();
      this.#byTunnel.set(tunnel.index, admitted);
    }
    if (admitted.size >= ADMITTED_MAX) return undefined;
    const { port, vni } = tunnel;
    const index = this.#context.references.acquire({
      tunnel: tunnel.index,
      address,
      scope,
      port,
      vni,
    });
    remotes.allow(index);
    admitted.add(index);
    return index;
  }

  /** Makes an admitted remote a stranger again; what was learned of it goes. */
  dismiss(tunnel: number, index: number): void {
    if (this.#byTunnel.get(tunnel)?.delete(index) === true) {
      this.#context.references.dropSender(index);
    }
  }

  /** Dismisses all remotes of a tunnel. */
  remove(tunnel: number): void {
    for (const index of this.list(tunnel)) this.dismiss(tunnel, index);
    this.#byTunnel.delete(tunnel);
  }
}
