import type { Workload } from '../workload.ts';
import { COLLECTIONS } from './collections.ts';
import { FLOOD } from './flood.ts';
import { LARGE_FDB } from './large-fdb.ts';
import { LOOKUP } from './lookup.ts';
import { LOSS } from './loss.ts';
import { ROUND_TRIP, ROUND_TRIP_TCP, ROUND_TRIP_UDP } from './round-trip.ts';
import { SMALL_FRAMES_1, SMALL_FRAMES_16 } from './small-frames.ts';
import { START_UP } from './start-up.ts';
import { TCP_1, TCP_4 } from './tcp.ts';

/** In the order in which they run and are printed. */
export const WORKLOADS: readonly Workload[] = [
  TCP_1,
  TCP_4,
  SMALL_FRAMES_1,
  SMALL_FRAMES_16,
  ROUND_TRIP,
  ROUND_TRIP_TCP,
  ROUND_TRIP_UDP,
  FLOOD,
  LARGE_FDB,
  LOOKUP,
  START_UP,
  COLLECTIONS,
  LOSS,
];
