/** Counts at several places of a lab at once how often labelled frames arrive there. */
import { expect } from 'vitest';

import { Capture } from './capture.ts';
import type { Host } from './host.ts';
import { waitFor } from './wait.ts';

/** Where frames are counted when they come in. */
export interface CountingPoint {
  readonly host: Host;
  readonly device: string;
}

/** Frames by the name of a point; points that are not named have none. */
export type Counts = Readonly<Record<string, number>>;

/** A frame carries its label as text, anywhere, with a semicolon behind it. */
export class Tally {
  readonly #captures: ReadonlyMap<string, Capture>;
  readonly #wanted: { readonly label: string; readonly counts: Counts }[] = [];

  private constructor(captures: ReadonlyMap<string, Capture>) {
    this.#captures = captures;
  }

  /** `filter` is tcpdump's. The lab ends the captures. */
  static async start(
    points: Readonly<Record<string, CountingPoint>>,
    filter = 'udp dst port 7',
  ): Promise<Tally> {
    const captures = Object.entries(points).map(
      async ([name, { host, device }]) =>
        [name, await Capture.start(host, device, filter, 'in')] as const,
    );
    return new Tally(new Map(await Promise.all(captures)));
  }

  /** How many frames with this label came in at each point so far. */
  counts(label: string): Record<string, number> {
    const text = `${label};`;
    const pairs = [...this.#captures].map(([name, capture]) => [
      name,
      capture.read().filter((frame) => frame.includes(text)).length,
    ]);
    return Object.fromEntries(pairs) as Record<string, number>;
  }

  /** Settles when each point has at least its number; {@link verify} asks for no more than that. */
  async reach(label: string, counts: Counts): Promise<void> {
    this.#wanted.push({ label, counts });
    await waitFor(
      () => {
        const seen = this.counts(label);
        return Object.entries(counts).every(([name, count]) => seen[name]! >= count);
      },
      { timeoutMs: 5_000, what: () => `"${label}" at ${JSON.stringify(counts)}` },
    ).catch(() => {
      // The comparison says at which point what is missing.
      expect(this.counts(label), label).toMatchObject(counts);
    });
  }

  /** Compares all that {@link reach} waited for; call it when nothing can be on its way any more. */
  verify(): void {
    const none = Object.fromEntries([...this.#captures.keys()].map((name) => [name, 0]));
    const seen = this.#wanted.map(({ label }) => [label, this.counts(label)]);
    const wanted = this.#wanted.map(({ label, counts }) => [label, { ...none, ...counts }]);
    expect(seen).toEqual(wanted);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#captures.values()].map((capture) => capture.stop()));
  }
}
