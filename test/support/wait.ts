export interface WaitOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  /** Default 25. */
  readonly intervalMs?: number;
  /** What is waited for, for the message; a function is asked at the end, when it knows most. */
  readonly what: string | (() => string);
}

/**
 * Asks `predicate` again and again until its answer is truthy, and returns that answer.
 * Rejects with `what` when the time is over; an exception of the predicate counts as "not yet" and is
 * added to the message.
 */
export async function waitFor<T>(
  predicate: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await predicate();
      if (answer) return answer as Exclude<T, undefined | null | false | 0 | ''>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) break;
    await sleep(options.intervalMs ?? 25);
  }
  const what = typeof options.what === 'string' ? options.what : options.what();
  const suffix = lastError instanceof Error ? `\nlast error: ${lastError.message}` : '';
  throw new Error(`Wait ${timeoutMs} ms for ${what}: it did not happen${suffix}`);
}

/** Resolves after `milliseconds`. Tests poll with {@link waitFor} instead. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
