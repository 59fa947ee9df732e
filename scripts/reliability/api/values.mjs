// Arguments: good ones by a parameter's type and name, odd ones of any type.
import { join } from 'node:path';

/** A generator of numbers that a seed decides. */
export class Chance {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count) {
    return Math.floor(this.next() * count);
  }

  one(list) {
    return list[this.below(list.length)];
  }

  often(probability) {
    return this.next() < probability;
  }
}

/** What our own callbacks, getters and aborts throw: it may come back from any call. */
export class Thrown extends Error {}

function detached() {
  const bytes = new Uint8Array(16);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function throwing() {
  return new Proxy(
    {},
    {
      get(target, key) {
        if (typeof key === 'symbol') return undefined;
        throw new Thrown(`got ${key}`);
      },
    },
  );
}

const ODD_OBJECTS = [
  () => ({}),
  () => [],
  () => [undefined],
  () => Symbol('odd'),
  () => () => {},
  () => new Date(0),
  () => /x/,
  () => new Map(),
  () => new Float64Array(3),
  () => new DataView(new ArrayBuffer(8)),
  () => new Uint8Array(new SharedArrayBuffer(8)),
  () => new ArrayBuffer(8, { maxByteLength: 64 }),
  () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
  () => Object.create(null),
  () => Object.freeze({ timeout: 1 }),
  () => new Proxy({}, {}),
  detached,
  throwing,
  () => Promise.resolve(1),
  () => ({ valueOf: () => 3, toString: () => '/odd' }),
  () => new AbortController(),
];
const ODD_TEXT = [
  '',
  '/',
  '/..',
  'x',
  '/a/b',
  '/nul\0byte',
  '\ud800',
  `/${'n'.repeat(300)}`,
  '\u001b[31m',
  'ä',
];
const ODD_NUMBERS = [-1, -0, 1.5, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53];
/** As descriptors: one of Node's own, closed, would end the process, and rightly. */
const ODD_DESCRIPTORS = [
  -1,
  1.5,
  NaN,
  2 ** 31,
  -(2 ** 31),
  2 ** 32 + 1,
  1_000_000,
  'x',
  null,
  {},
  5n,
];

const SIZES = [0, 1, 2, 7, 64, 100, 4096, 4097, 65_536, 1 << 20];
const HARMLESS = ['SIGWINCH', 'SIGURG', 'SIGCONT', 0];
const SIGNALS = [
  'SIGUSR1',
  'SIGUSR2',
  'SIGHUP',
  'SIGTERM',
  'SIGWINCH',
  'SIGRTMIN+1',
  'SIGRTMIN+2',
  'SIGALRM',
  'SIGKILL',
  'SIGSTOP',
  34,
  40,
  64,
  65,
  0,
  -1,
];
const COMMANDS = [
  'true',
  'cat',
  'echo hi',
  'exit 3',
  'kill -9 $$',
  'yes | head -n 1000',
  'cat; exit 2',
  'no-such-program',
  "printf 'a\\0b'",
  'echo error >&2; cat',
];
const URLS = [
  'mq:/fuzz-0',
  'sysv-mq:0x7e01',
  'shm:/fuzz-1',
  'sem:/fuzz-0',
  'fifo:/tmp/fuzz/fifo',
  'unix:/tmp/fuzz/socket',
  'unix:@fuzz',
  'unix+seqpacket:/tmp/fuzz/packets',
  'unix+dgram:/tmp/fuzz/datagrams',
  'tcp://127.0.0.1:40001',
  'popen:cat',
  'pipe:999999',
  'tls://127.0.0.1:1',
  'nats://127.0.0.1:1/x',
  'broadcast:/fuzz-2',
  'mq:',
  '://',
  'mq:/a/b?x=1#y',
  'tcp://[::1]:99999',
  'unix:%2e%2e',
  'shm:/fuzz-1?capacity=-1',
];

/** Makes arguments; `pools` has the objects and descriptors that live. */
export class Values {
  #chance;
  #pools;

  constructor(chance, pools) {
    this.#chance = chance;
    this.#pools = pools;
  }

  /** Anything that no descriptor could be taken for. */
  odd() {
    const chance = this.#chance;
    return chance.one([
      () => undefined,
      () => null,
      () => true,
      () => 1n,
      () => chance.one(ODD_NUMBERS),
      () => chance.one(ODD_TEXT),
      () => chance.one(ODD_OBJECTS)(),
      () => chance.one(ODD_OBJECTS)(),
      () => this.#pools.any(chance),
    ])();
  }

  /** A value for a parameter of this name and type; odd now and then. */
  of(type, name, oddity = 0.12) {
    const chance = this.#chance;
    if (/^(fd|fds|from|to|descriptor)$/i.test(name) && ['number', 'any'].includes(type.kind)) {
      return chance.often(oddity) ? chance.one(ODD_DESCRIPTORS) : this.#pools.descriptor(chance);
    }
    if (/^(target|pid|pgid|tgid|tid)$/.test(name) && type.kind === 'number') {
      return this.#pid();
    }
    if (chance.often(oddity)) return this.odd();
    return this.#good(type, name);
  }

  #good(type, name) {
    const chance = this.#chance;
    switch (type.kind) {
      case 'union':
        return this.#good(chance.one(type.of), name);
      case 'words':
        return /signal/i.test(name) ? chance.one(SIGNALS) : chance.one(type.of);
      case 'literal':
        return type.value;
      case 'undefined':
        return undefined;
      case 'string':
        return this.#text(name);
      case 'number':
        return this.#number(name);
      case 'bigint':
        return chance.one([0n, 1n, -1n, 2n ** 63n, 2n ** 64n]);
      case 'array':
        return Array.from({ length: chance.below(4) }, () => this.of(type.of, name));
      case 'record':
        return Object.fromEntries(
          Array.from({ length: chance.below(3) }, () => [
            chance.one([0, 1, 2, 3, 4, 7, 'x']),
            this.of(type.of, name === 'fds' ? 'fd' : name),
          ]),
        );
      case 'object':
        return this.#object(type.of);
      case 'known':
        return this.#known(type, name);
      case 'live':
        return this.#pools.like(chance, type.name) ?? {};
      case 'function':
        return this.#callback();
      case 'class':
        return chance.one([Uint8Array, Int32Array, Float64Array, DataView, BigInt64Array, Date]);
      default:
        return chance.one([() => this.bytes(), () => this.#pools.any(chance), () => this.odd()])();
    }
  }

  #object(properties) {
    const chance = this.#chance;
    const made = {};
    for (const [name, type] of Object.entries(properties)) {
      if (chance.often(name === 'temporary' ? 0.3 : 0.45)) made[name] = this.of(type, name, 0.08);
    }
    return made;
  }

  #known({ name, of }, parameter) {
    const chance = this.#chance;
    switch (name) {
      case 'AbortSignal':
        return this.signal();
      case 'Uint8Array':
      case 'Buffer':
      case 'ArrayBufferView':
      case 'DataView':
        return this.bytes();
      case 'ArrayBuffer':
      case 'SharedArrayBuffer':
        return chance.one([
          new ArrayBuffer(256),
          new SharedArrayBuffer(256),
          this.#pools.memory(chance),
        ]);
      case 'Iterable':
      case 'ReadonlyArray':
        return Array.from({ length: chance.below(4) }, () =>
          this.of(of ?? { kind: 'any' }, parameter),
        );
      default:
        return chance.often(0.5) ? {} : this.odd();
    }
  }

  bytes() {
    const chance = this.#chance;
    const size = chance.one([0, 1, 5, 64, 1000, 4096, 9000, 70_000]);
    return chance.one([
      () => Buffer.alloc(size, chance.below(256)),
      () => new Uint8Array(size),
      () => 'text'.repeat(size >> 4),
      () => new Uint8Array(new SharedArrayBuffer(size)),
      () => Buffer.alloc(size).subarray(size >> 1),
    ])();
  }

  /** Aborted before, soon, or never. */
  signal() {
    const chance = this.#chance;
    const reason = new Thrown('aborted');
    if (chance.often(0.25)) return AbortSignal.abort(reason);
    const controller = new AbortController();
    if (chance.often(0.8)) this.#pools.later(() => controller.abort(reason), chance.below(6));
    return controller.signal;
  }

  #callback() {
    const chance = this.#chance;
    return chance.one([
      () => {},
      () => {
        throw new Thrown('in a callback');
      },
      async () => {},
      () => this.#pools.any(chance),
    ]);
  }

  #pid() {
    const chance = this.#chance;
    if (chance.often(0.15)) return chance.one([-1, 0, 1, 1.5, NaN, 'x', null, 2 ** 31, 4_194_303]);
    return this.#pools.pid(chance);
  }

  /** The signals that may reach a process: this one ignores by default what it may get. */
  signalFor(target) {
    return this.#chance.one(
      target === process.pid || !Number.isInteger(target) || target <= 1 ? HARMLESS : SIGNALS,
    );
  }

  #text(name) {
    const chance = this.#chance;
    if (/path|file|cwd/i.test(name)) {
      return chance.one(
        ['fifo', 'fifo2', 'plain', 'link', 'socket', 'missing', '.', 'no/such']
          .map((each) => join('/tmp/fuzz', each))
          .concat('/etc/passwd', '/dev/null', '/proc/self/status', '/dev/zero'),
      );
    }
    if (/url/i.test(name)) return chance.one(URLS);
    if (/command|line/i.test(name)) return chance.one(COMMANDS);
    if (/address/i.test(name))
      return chance.one([
        'unix:/tmp/fuzz/socket',
        'unix:@fuzz',
        'tcp://127.0.0.1:40001',
        'tcp://127.0.0.1:0',
        'unix:',
        'bogus',
      ]);
    if (/abstract/i.test(name)) return chance.one(['fuzz', '', 'a\0b', 'x'.repeat(200)]);
    if (/host/i.test(name)) return chance.one(['127.0.0.1', '::1', '', 'no.such.invalid']);
    if (/args|values|strings/i.test(name))
      return chance.one(['', '-x', 'a b', "'", '$(id)', '\n', '*', 'a\0b']);
    return `/fuzz-${chance.below(4)}`;
  }

  #number(name) {
    const chance = this.#chance;
    if (/timeout|after|wait/i.test(name)) return chance.one([0, 0, 1, 2, 5, 10]);
    if (/key/i.test(name)) return 0x7e00 + chance.below(4);
    if (/mode/i.test(name)) return chance.one([0o600, 0o644, 0, 0o7777, 0o10000, 0o400]);
    if (/signal/i.test(name)) return chance.one(SIGNALS);
    if (/^id$/i.test(name)) return chance.one([0, 1, 2, 32_768, 2 ** 31 - 1, -1]);
    if (/index|delta|count|project|priority|value|project|parties|max$/i.test(name))
      return chance.one([0, 1, 2, 3, -1, 31, 255, 32_767, 32_768]);
    if (/^(domain|protocol)$/.test(name)) return chance.one([1, 2, 10, 0, 99]);
    if (/^type$/.test(name)) return chance.one([1, 2, 5, 3, 0, -1]);
    if (/port/i.test(name)) return chance.one([0, 40_001, 65_535, 65_536, -1]);
    if (/uid|gid|owner/i.test(name)) return chance.one([process.getuid(), 0, 1, -1]);
    if (/offset/i.test(name)) return chance.one([0, 4, 8, 64, 128, 1, 4096, 2 ** 31]);
    if (/flags/i.test(name)) return chance.one([0, 2, 0x40, 0x4000, 0x7fffffff]);
    return chance.often(0.1) ? chance.one(ODD_NUMBERS) : chance.one(SIZES);
  }
}
