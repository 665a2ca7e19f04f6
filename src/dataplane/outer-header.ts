// Hot path: no allocation, no throw, no await.
import type { TransmitPlan } from '../packet/transmit-plan.ts';
import { encapsulateEcn } from '../wire/ecn.ts';
import { InheritedHeader } from './inherited-header.ts';
import type { InnerPacket } from './inner-packet.ts';
import { INHERIT_DF, INHERIT_FLOW_LABEL, INHERIT_TTL, type OuterTable } from './outer-table.ts';

/** The outer header of the frames of one batch: the tunnel's settings, and what each frame hands down. */
export class OuterHeader {
  /** TOS or traffic class of the frame in hand, ECN included. */
  tos = 0;

  readonly #table: OuterTable;
  readonly #plan: TransmitPlan;
  readonly #inherited = new InheritedHeader();
  #inherit = 0;
  #dscp = 0;

  constructor(table: OuterTable, plan: TransmitPlan) {
    this.#table = table;
    this.#plan = plan;
  }

  /** The frames from now on are the tunnel's. */
  begin(tunnel: number): void {
    this.#inherit = this.#table.inherit(tunnel);
    this.#dscp = this.#table.tos(tunnel);
    this.#plan.outerTtl = this.#table.ttl(tunnel);
    this.#plan.outerFlowLabel = this.#table.flowLabel(tunnel);
  }

  /** The frame in hand carries `inner`. */
  take(view: DataView, inner: InnerPacket): void {
    this.tos = this.#dscp | encapsulateEcn(inner.tos);
    if (this.#inherit !== 0) this.#inheritFrom(view, inner);
  }

  /** True when the frame in hand leaves without DF in a tunnel that inherits it. */
  get withoutDf(): boolean {
    return (this.#inherit & INHERIT_DF) !== 0 && !this.#inherited.dontFragment;
  }

  #inheritFrom(view: DataView, inner: InnerPacket): void {
    const plan = this.#plan;
    const inherited = this.#inherited;
    inherited.read(view, inner, this.#inherit);
    this.tos |= inherited.dscp;
    if ((this.#inherit & INHERIT_TTL) !== 0) plan.outerTtl = inherited.ttl;
    if ((this.#inherit & INHERIT_FLOW_LABEL) !== 0) plan.outerFlowLabel = inherited.flowLabel;
  }
}
