// Plays one batch: calls in random order, on what the calls before them have left alive.
import { mkdirSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { types } from 'node:util';

import { Pools, classesOf } from './pools.mjs';
import { Chance, Thrown, Values } from './values.mjs';

/** Promises that hang are found after so long, on a machine that does much else. */
const PATIENCE = 40_000;
const PLACE = '/tmp/fuzz';

/** Names of methods that give a descriptor away. */
const GIVES = new Set(['release']);
const TAKES = new Set(['fromFd', 'close']);

/** One batch over a {@link surface}, decided by a seed. */
export class Batch {
  calls = {};
  findings = [];
  /** The calls that named something temporary. */
  temporaries = [];
  #functions;
  #methods;
  #anyMethod = new Map();
  #modules;
  #chance;
  #pools;
  #values;
  #raw;
  #trace;

  constructor({ functions, methods }, modules, { seed, raw, helpers, trace, only }) {
    this.#modules = modules;
    this.#raw = raw;
    this.#trace = trace;
    this.#functions = new Map();
    for (const each of functions) {
      if (!raw && each.specifier.endsWith('/posix')) continue;
      if (only !== undefined && !only.includes(each.package)) continue;
      const list = this.#functions.get(each.specifier) ?? [];
      list.push(each);
      this.#functions.set(each.specifier, list);
    }
    this.#methods = methods;
    for (const table of Object.values(methods)) {
      for (const [name, method] of Object.entries(table)) this.#anyMethod.set(name, method);
    }
    this.#chance = new Chance(seed);
    this.#pools = new Pools(raw, helpers);
    this.#values = new Values(this.#chance, this.#pools);
  }

  async play(calls, beat) {
    mkdirSync(PLACE, { recursive: true });
    writeFileSync(`${PLACE}/plain`, Buffer.alloc(5000));
    rmSync(`${PLACE}/link`, { force: true });
    try {
      symlinkSync('plain', `${PLACE}/link`);
    } catch {
      // Another thread of this process made it.
    }
    this.#pools.begin();
    for (let i = 0; i < calls; i++) {
      this.#step();
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (i % 50 === 0) {
        beat(i);
        if (this.#chance.often(0.3)) globalThis.gc?.();
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    return this.end();
  }

  async end() {
    for (const label of await this.#pools.end(PATIENCE)) this.#find('hang', label, 'never settled');
  }

  #step() {
    const chance = this.#chance;
    const objects = this.#pools.live;
    if (objects.length === 0 || (!this.#pools.full && chance.often(0.4))) {
      this.#callFunction(chance.one(chance.one([...this.#functions.values()])));
      return;
    }
    const index = chance.below(objects.length);
    const object = objects[index];
    this.#callMethod(object);
    if (chance.often(object.closed === true ? 0.3 : 0.03)) this.#pools.drop(index);
  }

  #callFunction({ package: of, specifier, owner, name, params, promise }) {
    const module = this.#modules.get(specifier);
    const self = owner === undefined ? module : module[owner];
    const target = self?.[name];
    if (typeof target !== 'function') return;
    const args = this.#arguments(params);
    const label = [specifier, owner, name].filter(Boolean).join(' ');
    this.#bind(name, params, args, promise || name.endsWith('Sync'));
    this.#call(of, label, name, () => target.apply(self, args), args);
  }

  #callMethod(object) {
    const chance = this.#chance;
    const classes = classesOf(object);
    // What a class has besides is its own affair.
    const known = classes.some((each) => this.#methods[each] !== undefined);
    const names = methodNames(object).filter((name) =>
      known ? classes.some((each) => this.#methods[each]?.[name]) : this.#anyMethod.has(name),
    );
    if (names.length === 0) return;
    const name = chance.one(names);
    if (!this.#raw && (GIVES.has(name) || name.endsWith('Fds'))) return;
    const owner = classes.find((each) => this.#methods[each]?.[name] !== undefined);
    const method = owner === undefined ? this.#anyMethod.get(name) : this.#methods[owner][name];
    const label = `${object.constructor?.name} ${name}`;
    const of = this.#packageOf(object);
    if (method.calls === undefined) {
      const set = method.settable && chance.often(0.4);
      const value = set ? this.#values.of(method.value, name) : undefined;
      this.#call(
        of,
        label,
        name,
        () => (set ? ((object[name] = value), undefined) : object[name]),
        [value],
      );
      return;
    }
    const params = chance.one(method.calls);
    const args = this.#arguments(params);
    this.#bind(name, params, args, name.endsWith('Sync'));
    // To a handle of this process, what would end it.
    if (name === 'send' && object.pid === process.pid)
      args[0] = this.#values.signalFor(process.pid);
    this.#call(of, label, name, () => object[name](...args), args, object);
  }

  #arguments(params) {
    const chance = this.#chance;
    const args = [];
    for (const { name, type, optional, rest } of params) {
      if (optional && chance.often(0.25)) break;
      if (rest)
        args.push(
          ...(type.kind === 'array'
            ? Array.from({ length: chance.below(3) }, () => this.#values.of(type.of, name))
            : []),
        );
      else args.push(this.#values.of(type, name));
    }
    return args;
  }

  /** Makes a call end, and do no harm: waits that nothing else ends have a timeout, killing signals go to others. */
  #bind(name, params, args, bounded) {
    const chance = this.#chance;
    const signal = params.findIndex((each) => each.name === 'signal');
    if (signal >= 0 && name.startsWith('send')) {
      const first = typeof args[0] === 'number' ? args[0] : 0;
      args[signal] = this.#values.signalFor(first);
    }
    const at = params.findIndex(({ type }) => optionsOf(type) !== undefined);
    if (at >= 0 && isPlain(args[at]) && args[at].temporary && typeof args[0] === 'string') {
      args[0] = args[0].replace(/^\/fuzz-/, '/temp-');
    }
    if (!bounded) return;
    const options = params.findIndex(({ type }) => optionsOf(type)?.timeout !== undefined);
    if (options < 0) return;
    while (args.length < options)
      args.push(this.#values.of(params[args.length].type, params[args.length].name));
    const given = args[options];
    if (typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean')
      return;
    const kept = isPlain(given) ? given : {};
    args[options] = { ...kept, timeout: chance.one([0, 1, 3, 10, 'x', -1, NaN]) };
  }

  #call(of, label, name, action, args, object) {
    this.calls[of] = (this.calls[of] ?? 0) + 1;
    const told = `${label}(${args.map(brief).join(', ')})`;
    if (told.includes('temp-')) this.temporaries.push(told);
    if (this.#trace !== undefined) writeSync(this.#trace, `${told}\n`);
    const judge = (error) => {
      if (error !== undefined && !isExpected(error, name))
        this.#find('error', label, describe(error));
    };
    try {
      const result = action();
      if (TAKES.has(name)) this.#pools.gone(args[0]);
      if (/^(release|socket)$/.test(name) && typeof result === 'number') this.#pools.owns(result);
      if (name === 'socketpair' && Array.isArray(result))
        result.forEach((fd) => this.#pools.owns(fd));
      if (typeof result?.then === 'function' && result instanceof Promise) {
        this.#pools.track(result, told, judge, object);
      } else {
        this.#pools.harvest(result);
      }
    } catch (error) {
      judge(error);
    }
  }

  #packageOf(object) {
    for (const [specifier, module] of this.#modules) {
      for (const name of classesOf(object)) {
        if (typeof module[name] === 'function' && object instanceof module[name]) {
          return specifier.split('/')[1] ?? specifier;
        }
      }
    }
    return 'core';
  }

  #find(kind, label, text) {
    this.findings.push({ kind, label, text });
  }
}

function optionsOf(type) {
  if (type.kind === 'object') return type.of;
  if (type.kind === 'union') return type.of.map(optionsOf).find((each) => each !== undefined);
  return undefined;
}

/** Options that we made ourselves: the fields of what is odd may throw. */
function isPlain(value) {
  if (value === null || typeof value !== 'object' || types.isProxy(value)) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

const namesOf = new WeakMap();

/** The names of all methods and accessors that an object's class has. */
function methodNames(object) {
  const prototype = Object.getPrototypeOf(object);
  const own = prototype === Object.prototype || prototype === null ? Object.keys(object) : [];
  let names = namesOf.get(prototype ?? Object.prototype);
  if (names === undefined) {
    const all = new Set();
    for (
      let each = prototype;
      each !== null && each !== Object.prototype;
      each = Object.getPrototypeOf(each)
    ) {
      for (const name of Object.getOwnPropertyNames(each))
        if (name !== 'constructor') all.add(name);
    }
    names = [...all];
    if (prototype !== null) namesOf.set(prototype, names);
  }
  return [...names, ...own];
}

/** What a call may throw: our own errors, arguments' errors with Node's codes, aborts, and what callbacks threw. */
function isExpected(error, name) {
  if (error instanceof Thrown || error?.cause instanceof Thrown) return true;
  if (error === null || typeof error !== 'object') return false;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return true;
  if (error.name === 'IpcError') return typeof error.code === 'string' && error.code !== '';
  if (
    (error instanceof TypeError || error instanceof RangeError) &&
    String(error.code).startsWith('ERR_')
  )
    return true;
  // What is parsed is a peer's text.
  return error instanceof SyntaxError && /^(json|decode|receive|next|tryReceive)$/.test(name);
}

function describe(error) {
  const stack = String(error?.stack ?? error)
    .split('\n')
    .slice(0, 4);
  return stack
    .map((line) => line.trim())
    .join(' | ')
    .slice(0, 600);
}

/** A value, short, for the trace. */
function brief(value) {
  try {
    if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
    if (typeof value === 'bigint') return `${value}n`;
    if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength})`;
    if (typeof value === 'function') return 'function';
    if (value !== null && typeof value === 'object') {
      const prototype = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && !Array.isArray(value))
        return value.constructor?.name ?? 'object';
      return `{${Object.entries(value)
        .slice(0, 8)
        .map(
          ([key, each]) =>
            `${key}: ${typeof each === 'object' && each !== null ? '…' : brief(each)}`,
        )
        .join(', ')}}`;
    }
    return String(value);
  } catch {
    return 'unspeakable';
  }
}
