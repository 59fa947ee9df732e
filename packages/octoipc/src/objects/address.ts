import { KINDS, type Entry, type Kind } from './object.js';

/** What names an object: a name, or a number that the kernel gave it. */
export interface Address {
  readonly kind: Kind;
  readonly name?: string;
  readonly id?: number;
  readonly key?: number;
  readonly inode?: number;
}

/** A URL that names nothing: wrong usage. */
export class AddressError extends Error {
  override get name(): string {
    return 'AddressError';
  }
}

/** Kinds of shared memory are told by what is in it, and named as shared memory. */
const IN_MEMORY: ReadonlySet<Kind> = new Set(['ring', 'broadcast', 'value']);
const SYSV: ReadonlySet<Kind> = new Set(['sysv-mq', 'sysv-sem', 'sysv-shm']);
const NAMELESS: ReadonlySet<Kind> = new Set(['pipe', 'memfd']);
const SCHEMES = KINDS.filter((kind) => !IN_MEMORY.has(kind));

/** What would play with a terminal or part words, and what would be taken for that. */
const UNSAFE = /[\p{C}\p{Z}]|%(?=[\dA-Fa-f]{2})/gu;
const ESCAPES = /(?:%[\dA-Fa-f]{2})+/g;

/**
 * A name as it stands in a URL: control characters, blanks and the like as %XX, all else as it is.
 *
 * @param name - as the system has it
 * @returns what can be printed, and typed
 */
export function encodeName(name: string): string {
  return name.replaceAll(UNSAFE, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/**
 * What a URL's %XX stand for, as far as they make text.
 *
 * @param text - of a URL
 * @returns the text itself
 */
export function decodeName(text: string): string {
  return text.replaceAll(ESCAPES, (escapes) => {
    const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
    const decoded = bytes.toString('utf8');
    return Buffer.from(decoded).equals(bytes) ? decoded : escapes;
  });
}

/** The scheme of a kind's URLs. */
export function schemeOf(kind: Kind): string {
  return IN_MEMORY.has(kind) ? 'shm' : kind;
}

/** The URL of an object that has a name. */
export function urlOfName(kind: Kind, name: string): string {
  return `${schemeOf(kind)}:${encodeName(name)}`;
}

/** The URL of an object that has no name, or none any more: `pipe:[1234]`, as /proc shows it. */
export function urlOfInode(kind: Kind, inode: number): string {
  return `${schemeOf(kind)}:[${inode}]`;
}

/** The URL of a System V object: by its key, or by its id where it is private. */
export function urlOfSysv(kind: Kind, key: number, id: number): string {
  return key === 0 ? `${kind}:id=${id}` : `${kind}:${hexadecimal(key)}`;
}

/** A key as ipcs(1) shows it. */
export function hexadecimal(key: number): string {
  return `0x${key.toString(16).padStart(8, '0')}`;
}

/**
 * What a URL names.
 *
 * @param url - as `octoipc ls` prints it
 * @returns the address
 * @throws {AddressError} when it can name nothing
 */
export function parseAddress(url: string): Address {
  const colon = url.indexOf(':');
  const scheme =
    colon < 0 ? '' : url.slice(0, colon).replace(/^unix\+(?:seqpacket|dgram)$/, 'unix');
  const rest = url.slice(colon + 1);
  const kind = SCHEMES.find((each) => each === scheme);
  if (kind === undefined) {
    throw new AddressError(`'${encodeName(url)}' is no URL of an object: ${SCHEMES.join(':, ')}:`);
  }
  const inode = /^\[(\d{1,15})\]$/.exec(rest)?.[1];
  if (inode !== undefined && !SYSV.has(kind)) return { kind, inode: Number(inode) };
  if (SYSV.has(kind)) return { kind, ...sysvAddress(url, rest) };
  if (NAMELESS.has(kind)) throw malformed(url, `a number in brackets: ${kind}:[1234]`);
  return { kind, name: nameIn(url, kind, rest) };
}

function sysvAddress(url: string, rest: string): { key: number } | { id: number } {
  const id = /^id=(\d{1,10})$/.exec(rest)?.[1];
  if (id !== undefined && Number(id) <= 0x7fff_ffff) return { id: Number(id) };
  const key = /^(?:0[xX][\da-fA-F]{1,8}|\d{1,10})$/.test(rest) ? Number(rest) : Number.NaN;
  if (key === 0) throw malformed(url, 'an id (id=N), as a private object has no key');
  if (key > 0 && key <= 0xffff_ffff) return { key };
  throw malformed(url, 'a key (0x1234) or an id (id=5)');
}

function nameIn(url: string, kind: Kind, rest: string): string {
  const name = decodeName(rest);
  const abstract = kind === 'unix' && name.startsWith('@') && name.length > 1;
  if ((!name.startsWith('/') && !abstract) || name === '/' || name.includes('\0')) {
    throw malformed(url, kind === 'unix' ? 'a path, or @ and a name' : 'a name that begins with /');
  }
  const file = kind === 'fifo' || kind === 'unix';
  if (!file && name.includes('/', 1))
    throw malformed(url, 'a name with one slash, at its beginning');
  return name;
}

function malformed(url: string, expected: string): AddressError {
  return new AddressError(
    `'${encodeName(url)}' is malformed: what follows the colon is ${expected}`,
  );
}

/**
 * Whether an address means this object.
 *
 * @param address - what was asked for
 * @param entry - an object that there is
 * @returns true if it does
 */
export function matches(address: Address, entry: Entry): boolean {
  if (schemeOf(entry.kind) !== address.kind) return false;
  if (address.id !== undefined) return entry.id === address.id;
  if (address.key !== undefined) return entry.key === address.key;
  if (address.inode !== undefined) return entry.inode === address.inode;
  return entry.name === address.name && !('unlinked' in entry.details);
}

/** The kinds that an address may turn out to be. */
export function kindsOf({ kind }: Address): readonly Kind[] {
  return kind === 'shm' ? ['shm', ...IN_MEMORY] : [kind];
}
