import { parseUnderlayAddress, type Refusal } from './addresses.ts';
import type { UnderlayAddress } from './config.ts';

/** A remote that is named by its host, to be resolved at run time. */
export interface RemoteName {
  /** In lower case, without the final dot. */
  readonly name: string;
  /** The same, so that every remote has a text. */
  readonly text: string;
}

/** A remote's address or host name from its text, or the reason why it is neither. */
export function parseRemote(text: string): UnderlayAddress | RemoteName | Refusal {
  // No top-level domain is a number, so that whatever looks like one was meant as an address.
  if (!NAME_LIKE.test(text)) return parseUnderlayAddress(text, 'remote');
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name.length > NAME_MAX || !name.split('.').every((label) => LABEL.test(label))) {
    return { refused: `is neither an IP address nor a host name; ${ALLOWED}` };
  }
  return { name, text: name };
}

/** True for a remote that is a host name. */
export function isRemoteName(remote: UnderlayAddress | RemoteName): remote is RemoteName {
  return 'name' in remote;
}

/** The last label begins with a letter, and nothing of an address's punctuation is in it. */
const NAME_LIKE = /^([^\s:/%[\]]*\.)?[a-z][^\s:/%[\].]*\.?$/i;
/** RFC 1035 section 2.3.4; letters, digits and hyphens by RFC 1123, underscores as people use them. */
const NAME_MAX = 253;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const ALLOWED = 'allowed: a unicast address, or a name such as vtep-b.example';
