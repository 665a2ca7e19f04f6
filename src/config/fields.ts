import { z } from 'zod';
import {
  INTERFACE_NAME_MAX,
  PORT_MAX,
  VNI_MIN,
  type VlanMapping,
  SOCKET_PATH_MAX,
  type OverlayAddress,
  type UnderlayAddress,
} from './config.ts';
import { VNI_MAX } from '../wire/vxlan.ts';
import {
  parseGroup,
  parseOverlayAddress,
  parseUnderlayAddress,
  type Refusal,
} from './addresses.ts';
import { parseRemote, type RemoteName } from './remote-name.ts';

/**
 * The kinds of values, as zod schemas. Each reads one scalar, also one written as text (command
 * line, quoted YAML). A message continues a sentence that begins with the value and ends with what
 * is allowed.
 */

/** A whole number in decimal digits. */
export function wholeNumber(min: number, max: number): z.ZodType<number> {
  return numberOr(min, max, undefined) as z.ZodType<number>;
}

/** A whole number or the word `auto`. */
export function wholeNumberOrAuto(min: number, max: number): z.ZodType<number | 'auto'> {
  return numberOr(min, max, 'auto');
}

/** Bits per second with an optional suffix k, M or G, as kilobits per second. */
export function bitRate(): z.ZodType<number> {
  const allowed = 'allowed: bits per second from 64k to 100G, for example 100M or 1.5G';
  return z.unknown().transform((value, context) => {
    const match = BIT_RATE.exec(typeof value === 'number' ? String(value) : (value as string));
    if (match === null) return refuse(context, value, `is not a bit rate; ${allowed}`);
    const kilobits = Math.round((Number(match[1]) * UNITS[match[2] ?? '']!) / 1000);
    if (kilobits >= 64 && kilobits <= 100_000_000) return kilobits;
    return refuse(context, value, `is out of range; ${allowed}`);
  });
}

/** One of the words. */
export function oneOf<const Word extends string>(words: readonly Word[]): z.ZodType<Word> {
  const error = `is not supported; allowed: ${words.join(', ')}`;
  return z.enum(words, { error });
}

/** true or false; also yes, no, on and off, which netplan takes. */
export function flag(): z.ZodType<boolean> {
  const error = 'is neither true nor false; allowed: true, false';
  const words = z.stringbool({
    truthy: ['true', 'yes', 'on'],
    falsy: ['false', 'no', 'off'],
    error,
  });
  return z.union([z.boolean(), words], { error });
}

/** A whole number, or true or false. */
export function wholeNumberOrFlag(min: number, max: number): z.ZodType<number | boolean> {
  const error = `is neither true nor false nor a number in range; allowed: true, false, or ${min} to ${max}`;
  return z.union([wholeNumber(min, max), flag()], { error });
}

/** The path of a unix socket. */
export function socketPath(): z.ZodType<string> {
  const allowed = `allowed: an absolute path of up to ${SOCKET_PATH_MAX} bytes`;
  return z
    .string({ error: `is not a path; ${allowed}` })
    .refine((path) => path.startsWith('/') && !path.endsWith('/'), {
      error: `is not the absolute path of a socket; ${allowed}`,
      abort: true,
    })
    .refine((path) => !path.includes('\0') && Buffer.byteLength(path) <= SOCKET_PATH_MAX, {
      error: `is too long for a unix socket; ${allowed}`,
    });
}

/** The name of a network interface, as the kernel and the command line can take it. */
export function interfaceName(): z.ZodType<string> {
  const error =
    `is not a name for an interface; allowed: 1 to ${INTERFACE_NAME_MAX} characters, ` +
    'no space, "/", ":", "%" or "@", and no "-" in front';
  return z.string({ error }).refine(isInterfaceName, { error });
}

/** A UDP port. */
export function port(): z.ZodType<number> {
  return wholeNumber(1, PORT_MAX);
}

/** The address of a VTEP, `use` being the word for its part in the tunnel. */
export function underlayAddress(use: 'local' | 'remote'): z.ZodType<UnderlayAddress> {
  return parsed((text) => parseUnderlayAddress(text, use));
}

/** A remote: an address, or a host name. */
export function remote(): z.ZodType<UnderlayAddress | RemoteName> {
  return parsed(parseRemote);
}

/** The address of a multicast group. */
export function multicastGroup(): z.ZodType<UnderlayAddress> {
  return parsed(parseGroup);
}

/** A VLAN and its VNI, `10:1010`. */
export function vlanMapping(): z.ZodType<VlanMapping> {
  return parsed<VlanMapping>((text) => {
    const match = VLAN_MAPPING.exec(text);
    if (match === null) return { refused: `is not a VLAN with its VNI; ${VLAN_ALLOWED}` };
    const vid = Number(match[1]);
    const vni = Number(match[2]);
    if (vid < 1 || vid > VID_MAX) return { refused: `names the VLAN ${vid}; ${VLAN_ALLOWED}` };
    if (vni < VNI_MIN || vni > VNI_MAX) return { refused: `names the VNI ${vni}; ${VLAN_ALLOWED}` };
    return { vid, vni };
  });
}

/** An address with its prefix length for the TAP device. */
export function overlayAddress(): z.ZodType<OverlayAddress> {
  return parsed(parseOverlayAddress);
}

/** What dev_valid_name() of the kernel takes, without what tools stumble over. */
export function isInterfaceName(name: string): boolean {
  if (name.length > INTERFACE_NAME_MAX || name === '.' || name === '..') return false;
  return PRINTABLE_ASCII.test(name) && !NOT_IN_A_NAME.test(name);
}

function numberOr(min: number, max: number, word: 'auto' | undefined): z.ZodType<number | 'auto'> {
  const allowed = `${word === undefined ? '' : `${word}, or `}${min} to ${max}`;
  return z.unknown().transform((value, context) => {
    if (word !== undefined && value === word) return word;
    const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) {
      return refuse(context, value, `is not a whole number; allowed: ${allowed}`);
    }
    if (number >= min && number <= max) return number;
    return refuse(context, value, `is out of range; allowed: ${allowed}`);
  });
}

function parsed<T extends object>(parse: (text: string) => T | Refusal): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    // A number is text that looks like one: parse() knows what is wrong with it.
    const result = parse(typeof value === 'string' ? value : '');
    return 'refused' in result ? refuse(context, value, result.refused) : result;
  });
}

function refuse(context: z.RefinementCtx, input: unknown, message: string): never {
  context.issues.push({ code: 'custom', input, message });
  return z.NEVER;
}

const BIT_RATE = /^(\d{1,12}(?:\.\d{1,6})?)([kMG]?)$/;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
/** 4095 is reserved, IEEE 802.1Q table 9-2. */
const VID_MAX = 4094;
const VLAN_MAPPING = /^(\d{1,9}):(\d{1,9})$/;
const VLAN_ALLOWED = `allowed: for example 10: 1010, VLANs 1 to ${VID_MAX}, VNIs ${VNI_MIN} to ${VNI_MAX}`;
const DECIMAL = /^-?\d{1,15}$/;
const PRINTABLE_ASCII = /^[!-~]+$/;
const NOT_IN_A_NAME = /^-|[/:%@]/;
