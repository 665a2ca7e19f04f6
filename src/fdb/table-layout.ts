/**
 * Where everything is in the shared memory of the FDB, in 32-bit words.
 *
 *   header (28)  identity, then what the holder of the lock writes; lookups read none of it
 *   buckets      16 words for four rows: what lookups read, field by field
 *
 *        0..3 MAC low | 4..7 version, MAC high | 8..11 VNI, flags | 12..15 destination
 *
 *   ages         4 words for each row: what only refreshing, sending and ageing touch
 *
 * Large blocks of the usual allocator begin 16 bytes into a page: with this header a bucket is exactly
 * one cache line, so that most lookups cost one cache miss. Elsewhere they cost two.
 */
export const HEADER_MAGIC = 0;
export const HEADER_CAPACITY = 1;
export const HEADER_SEED = 2;
export const HEADER_BUCKETS = 3;
export const HEADER_LOCK = 12;
export const HEADER_COUNT = 13;
export const HEADER_LEARNED = 14;
export const HEADER_WORDS = 28;

/** "fdb1" */
export const TABLE_MAGIC = 0x66_64_62_31;

export const BUCKET_WORDS = 16;
export const BUCKET_ROWS = 4;

/** Last 4 bytes of the MAC. A row is named by the index of this word, the other fields follow it. */
export const ROW_MAC_LOW = 0;
/**
 * Lower half: first 2 bytes of the MAC. Upper half: version, 0..0x7fff, odd while the row gets a new
 * key and another even number with every new key.
 */
export const ROW_MAC_HIGH = 4;
/** VNI in the upper 24 bits; flags below. */
export const ROW_META = 8;
export const ROW_DESTINATION = 12;

export const MAC_HIGH_MASK = 0xffff;
export const VERSION_SHIFT = 16;
export const VERSION_MASK = 0x7fff;
/** The bits of ROW_MAC_HIGH that equal the MAC's when the row is not being written. */
export const MAC_HIGH_KEY_MASK = 0x1_ffff;

export const META_VNI_SHIFT = 8;
export const META_LIVE = 1;
export const META_ORIGIN_SHIFT = 1;
export const META_STATE_SHIFT = 3;
/** Mask of origin and of state, once shifted. */
export const META_FIELD_MASK = 3;
/** Of a bucket, kept in its first row: an entry lives behind it because it was full. */
export const META_PASSED = 0x20;
/** The MAC has moved since it was learned: what mac-moves.ts holds of the slot is about it. */
export const META_MOVED = 0x40;
/** The MAC moved too often: learning leaves it where it is. */
export const META_FROZEN = 0x80;
/** The bits that say whose the row is: VNI and liveness. */
export const META_KEY_MASK = 0xffff_ff01 | 0;

export const AGE_WORDS = 4;
export const AGE_UPDATED = 0;
export const AGE_USED = 1;
/** A 64-bit float: exact to 2^53. */
export const AGE_FRAMES = 2;

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
