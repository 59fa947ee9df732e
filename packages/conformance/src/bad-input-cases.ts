import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import type { BadInputAdapter, BadInputSubject, Call } from './bad-input.js';
import type { Case } from './case.js';
import { descriptors } from './census.js';
import { failureOf } from './outcome.js';

const CODES = ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'];

const NUMBERS = [NaN, -1, 2 ** 31, 2 ** 53, 1.5, -Infinity];
const NO_NUMBERS = ['5', null, 1n, {}, [], true, Symbol('5')];
const NO_OPTIONS = ['options', 5, null, true, [], 1n, Symbol('options')];
const NO_SIGNALS = ['signal', 5, null, true, {}];
const NO_DATA = [undefined, null, 5, 1n, true, {}, [], Symbol('data'), () => {}];
const NO_NAMES = [undefined, null, 5, 1n, true, {}, [], Symbol('name')];

/** Fails unless a call refuses what it was passed, in the way that Node does. */
async function refused(call: Call, value: unknown, what: string): Promise<void> {
  const error = await failureOf(() => call(value as never), what);
  const isArgumentError = error instanceof TypeError || error instanceof RangeError;
  if (isArgumentError && CODES.includes(String((error as { code?: unknown }).code))) return;
  throw new assert.AssertionError({ message: `${what} gave another error`, actual: error });
}

/** Passes every call each of the values, and sees that nothing changed. */
async function refuseAll(
  subject: BadInputSubject,
  calls: Readonly<Record<string, Call>> | undefined,
  values: readonly unknown[],
): Promise<void> {
  assert.ok(calls !== undefined, 'the adapter names no such calls, nor does lacks say so');
  for (const [label, call] of Object.entries(calls)) {
    for (const value of values) {
      const state = snapshot(subject);
      const what = `${label} with ${inspect(value)}`;
      await refused(call, value, what);
      assert.deepEqual(snapshot(subject), state, `${what} had an effect`);
    }
  }
}

function snapshot(subject: BadInputSubject): unknown {
  return [subject.state?.(), [...descriptors()].toSorted(([a], [b]) => a - b)];
}

/** A property's function, or its getter, and the prototype that has it. */
function lookUp(object: object, name: PropertyKey): { owner: object; call: unknown } {
  for (let owner: object | null = object; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (property !== undefined) return { owner, call: property.get ?? property.value };
  }
  throw new assert.AssertionError({ message: `there is no ${String(name)}` });
}

function detached(): Uint8Array {
  const view = new Uint8Array(16);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** What must be refused. */
export const badInputCases: readonly Case<BadInputAdapter>[] = [
  {
    key: 'numbers',
    ids: 'BIND-004',
    promise:
      'NaN, -1, 2**31, 2**53, 1.5, "5", null and the like are refused as numbers, before any effect',
    needs: ['numbers'],
    async run(adapter, scope) {
      const subject = scope.use(await adapter.open());
      const { numbers } = subject;
      assert.ok(numbers !== undefined, 'the adapter names no numbers, nor does lacks say so');
      for (const [label, parameter] of Object.entries(numbers)) {
        const [call, accepts] =
          typeof parameter === 'function'
            ? [parameter, () => false]
            : [parameter.call, (value: number) => parameter.accepts(value)];
        const wrong = [...NUMBERS.filter((value) => !accepts(value)), ...NO_NUMBERS];
        await refuseAll(subject, { [label]: call }, wrong);
      }
    },
  },
  {
    key: 'options',
    ids: '',
    promise: 'options that are no object are refused, before any effect',
    needs: ['options'],
    async run(adapter, scope) {
      const subject = scope.use(await adapter.open());
      await refuseAll(subject, subject.options, NO_OPTIONS);
    },
  },
  {
    key: 'signals',
    ids: '',
    promise: 'a signal that is no AbortSignal is refused, before any effect',
    needs: ['options'],
    async run(adapter, scope) {
      const subject = scope.use(await adapter.open());
      const waits = Object.entries(subject.waits ?? {}).map(([label, call]): [string, Call] => [
        label,
        (signal: unknown) => (call as (options: object) => unknown)({ signal }),
      ]);
      await refuseAll(subject, Object.fromEntries(waits), NO_SIGNALS);
    },
  },
  {
    key: 'data',
    ids: 'BIND-006',
    promise: 'data that is neither a string nor a view of memory is refused, before any effect',
    needs: ['data'],
    async run(adapter, scope) {
      const subject = scope.use(await adapter.open());
      await refuseAll(subject, subject.data, NO_DATA);
    },
  },
  {
    key: 'detached-data',
    ids: 'BIND-006',
    promise: 'a view of detached memory is refused, before any effect',
    needs: ['data'],
    async run(adapter, scope) {
      const subject = scope.use(await adapter.open());
      await refuseAll(subject, subject.data, [detached()]);
    },
  },
  {
    key: 'names',
    ids: 'BIND-005',
    promise: 'names that are no strings, are empty or hold a NUL are refused, before any effect',
    needs: ['names'],
    async run(adapter, scope) {
      const subject = scope.use(await adapter.open());
      await refuseAll(subject, subject.names, ['', '/a\0b', '\0', ...NO_NAMES]);
    },
  },
  {
    key: 'wrong-this',
    ids: 'BIND-009',
    promise: 'methods called on something else throw or reject with a TypeError',
    needs: ['methods'],
    async run(adapter, scope) {
      const { methods } = scope.use(await adapter.open());
      assert.ok(methods !== undefined, 'the adapter names no methods, nor does lacks say so');
      for (const { of, names } of methods) {
        for (const name of names) {
          const { owner, call } = lookUp(of, name);
          const others = methods
            .map((other) => other.of)
            .filter((it) => it !== owner && !Object.prototype.isPrototypeOf.call(owner, it));
          const wrong = [{}, Object.create(Object.getPrototypeOf(of) as object), undefined, null];
          for (const it of [...wrong, ...others]) {
            const what = `${String(name)} of ${inspect(it, { depth: -1 })}`;
            const error = await failureOf(() => Reflect.apply(call as () => unknown, it, []), what);
            assert.ok(error instanceof TypeError, `${what}: ${inspect(error)}`);
          }
        }
      }
    },
  },
];
