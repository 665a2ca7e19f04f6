import { z } from 'zod';

const TEXT_MAX = 64;
const text = z.string().min(1).max(TEXT_MAX);
const state = z.enum(['permanent', 'reachable']);

/** One neighbour of a change. */
export const NEIGHBOUR_REQUEST = z.strictObject({
  dst: text,
  dev: text,
  lladdr: text.optional(),
  state: state.optional(),
  router: z.boolean().optional(),
});

export const NEIGHBOUR_VERB = z.enum(['add', 'replace', 'del']);

/** The body of `POST /v1/neigh`; the entries are judged one by one with {@link NEIGHBOUR_REQUEST}. */
export const NEIGHBOUR_CHANGE_REQUEST = z.strictObject({
  verb: NEIGHBOUR_VERB,
  entries: z.array(z.unknown()).min(1),
});

export const NEIGHBOUR_CHANGE_QUERY = z.strictObject({ verb: NEIGHBOUR_VERB });

export const NEIGHBOUR_FLUSH_REQUEST = z.strictObject({
  dev: text,
  dst: text.optional(),
  lladdr: text.optional(),
  states: z.array(state).min(1).optional(),
});

export const NEIGHBOUR_SHOW_QUERY = z.strictObject({
  dev: text.optional(),
  dst: text.optional(),
  lladdr: text.optional(),
  state: state.optional(),
  statistics: z
    .enum(['0', '1'])
    .transform((word) => word === '1')
    .optional(),
});
