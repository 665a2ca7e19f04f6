import { z } from 'zod';
import { VtepError } from '../base/errors.ts';

const VNI_MAX = 0xff_ffff;
/** Longer than any MAC, address, interface name or number that can be right. */
const TEXT_MAX = 64;

const text = z.string().min(1).max(TEXT_MAX);
const port = z.int().min(1).max(0xffff);
const vni = z.int().min(1).max(VNI_MAX);
const vlan = z.int().min(1).max(4094);
const stateName = z.enum(['dynamic', 'static', 'permanent']);
const digits = z.string().regex(/^[0-9]{1,8}$/, 'expected a decimal number');

/** One entry of a change. */
export const FDB_REQUEST = z.strictObject({
  mac: text,
  dev: text,
  dst: text.optional(),
  vlan: vlan.optional(),
  port: port.optional(),
  vni: vni.optional(),
  src_vni: vni.optional(),
  via: text.optional(),
  state: stateName.optional(),
});

export const FDB_VERB = z.enum(['add', 'append', 'replace', 'del']);

/** The body of `POST /v1/fdb`; the entries are judged one by one with {@link FDB_REQUEST}. */
export const CHANGE_REQUEST = z.strictObject({
  verb: FDB_VERB,
  entries: z.array(z.unknown()).min(1),
});

export const CHANGE_QUERY = z.strictObject({ verb: FDB_VERB });

export const FLUSH_REQUEST = z.strictObject({
  dev: text,
  mac: text.optional(),
  dst: text.optional(),
  vlan: vlan.optional(),
  port: port.optional(),
  vni: vni.optional(),
  src_vni: vni.optional(),
  states: z.array(stateName).min(1).optional(),
});

const switchWord = z.enum(['0', '1']).transform((word) => word === '1');

export const SHOW_QUERY = z.strictObject({
  dev: text.optional(),
  mac: text.optional(),
  dst: text.optional(),
  vlan: digits.transform(Number).pipe(vlan).optional(),
  port: digits.transform(Number).pipe(port).optional(),
  vni: digits.transform(Number).pipe(vni).optional(),
  state: stateName.optional(),
  statistics: switchWord.optional(),
});

export const ENTRY_QUERY = z.strictObject({
  dev: text,
  mac: text,
  vlan: digits.transform(Number).pipe(vlan).optional(),
  vni: digits.transform(Number).pipe(vni).optional(),
  statistics: switchWord.optional(),
});

export const TUNNELS_QUERY = z.strictObject({ dev: text.optional() });

export const EMPTY_QUERY = z.strictObject({});

/**
 * `value` as the schema's type, or ERR_USAGE that names every field that is unknown or wrong.
 * `what` says what was read, for the message.
 */
export function parse<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, 8).map(describe);
  throw new VtepError('ERR_USAGE', `Cannot read ${what}: ${problems.join('; ')}`, {
    hint: hintFor(schema),
  });
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, 8).map((key) => JSON.stringify(key.slice(0, TEXT_MAX)));
    return `unknown field ${keys.join(', ')}`;
  }
  const path = issue.path.map(String).join('.');
  const message = issue.message.replace(/^Invalid input: /, '');
  return path === '' ? message : `"${path}": ${message}`;
}

function hintFor(schema: z.ZodType): string {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  if (names.length > 0) return `known fields: ${names.join(', ')}`;
  return schema instanceof z.ZodObject
    ? 'no fields are known here'
    : 'see the API section of the README';
}
