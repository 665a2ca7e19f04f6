/**
 * Where everything is in the shared memory of the FDB, in 32-bit words.
 *
 * A header of 28 words, then buckets of two rows, 16 words each. Allocators put large blocks 16
 * bytes behind a page's start, so that with this header a bucket is exactly one cache line;
 * elsewhere it only costs time.
 *
 * The second half of the header is written by whoever holds the lock; lookups never read any of it.
 */
export const HEADER_MAGIC = 0;
export const HEADER_CAPACITY = 1;
export const HEADER_SEED = 2;
export const HEADER_LOCK = 12;
export const HEADER_COUNT = 13;
export const HEADER_LEARNED = 14;
export const HEADER_WORDS = 28;

/** "fdb1" */
export const TABLE_MAGIC = 0x66_64_62_31;

export const ROW_WORDS = 8;
export const BUCKET_WORDS = 2 * ROW_WORDS;

/** Odd while the row gets a new key, another even number with every new key; never negative. */
export const ROW_VERSION = 0;
export const ROW_MAC_LOW = 1;
/**
 * Lower half: first two bytes of the MAC. Upper half, of a bucket's first row only: how many
 * entries live behind this bucket because it was full when they came.
 */
export const ROW_MAC_HIGH = 2;
/** VNI in the upper 24 bits; flags below. */
export const ROW_META = 3;
export const ROW_DESTINATION = 4;
export const ROW_UPDATED = 5;
export const ROW_USED = 6;
/** Frames sent to this entry, modulo 2^32. */
export const ROW_FRAMES = 7;

export const VERSION_MASK = 0x7fff_ffff;
/**
 * Overflow count at which a bucket stops counting: it then stays "full" for good, which only costs
 * time.
 */
export const OVERFLOW_MAX = 0xffff;

export const META_VNI_SHIFT = 8;
export const META_LIVE = 1;
/** The bits of ROW_META that say whose the row is: VNI and liveness, without origin and state. */
export const META_KEY_MASK = 0xffff_ff01 | 0;
export const META_ORIGIN_SHIFT = 1;
export const META_STATE_SHIFT = 3;
export const META_FIELD_MASK = 3;

/** Origin of an entry: added from a received frame, or by a user as `dynamic`. */
export const ORIGIN_LEARNED = 1;
/** Origin of an entry: a control plane. Learning never changes it. */
export const ORIGIN_CONTROL = 2;
/** Origin of an entry: configuration or a user. Neither learning nor a control plane changes it. */
export const ORIGIN_STATIC = 3;

/** iproute2's words for the state of an entry. */
export const STATE_DYNAMIC = 0;
export const STATE_STATIC = 1;
export const STATE_PERMANENT = 2;
