/** What is measured, and what a measurement may ask of the run around it. */
import type { Lab } from '../support/lab.ts';
import type { Contender, Overlay } from './contender.ts';

/** A row of the table. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** Behind the decimal point. */
  readonly digits: number;
}

/** One number, from one contender in one round. */
export interface Sample {
  readonly figure: string;
  readonly value: number;
  /** What it was measured on: {@link Overlay.mtu}, {@link Overlay.offload}. */
  readonly mtu: number;
  readonly offload: string;
  /** Whatever helps to judge the number. */
  readonly detail?: Readonly<Record<string, number | string>>;
}

/** The run, as a workload sees it. */
export interface Bench {
  /** A smoke test within a minute: everything is shorter and smaller. */
  readonly quick: boolean;
  /** Words that every vtepd of this run is started with. */
  readonly daemonArguments: readonly string[];
  /** The contender's tunnel, which all its workloads share; made at the first call. */
  overlay(contender: Contender): Promise<Overlay>;
  /** Gives `use` an empty lab, and closes it afterwards. */
  withLab<T>(use: (lab: Lab) => Promise<T>): Promise<T>;
}

export interface Workload {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** Which contenders take part; absent: all. */
  readonly takes?: (contender: Contender) => boolean;
  /** Which take part in a quick run; absent: those of `takes`. */
  readonly takesQuick?: (contender: Contender) => boolean;
  /** Why it cannot be measured on this machine; undefined or absent when it can. */
  readonly obstacle?: () => string | undefined;
  /** Where the duration is part of the figure: how often instead of the run's number of rounds. */
  readonly rounds?: number;
  measure(contender: Contender, bench: Bench): Promise<Sample[]>;
}

/** `value` of a figure with the overlay's conditions beside it. */
export function sampleOf(
  overlay: Pick<Overlay, 'mtu' | 'offload'>,
  figure: string,
  value: number,
  detail?: Sample['detail'],
): Sample {
  const { mtu, offload } = overlay;
  return { figure, value, mtu, offload, ...(detail === undefined ? {} : { detail }) };
}

/** The contenders of a quick run where one of each kind is enough. */
export function isMain({ name }: Contender): boolean {
  return name === 'vtepd' || name === 'kernel';
}

export function isVtepd({ name }: Contender): boolean {
  return name === 'vtepd';
}

/** This daemon, and what it is compared with in an A/B run. */
export function isDefaultVtepd({ name }: Contender): boolean {
  return name === 'vtepd' || name === 'baseline';
}
