import { oneOf, optionsObject, rangeError, typeError, valueError } from '@octoipc/core/kit';

/** Resources that can be limited, and their numbers: those of Linux on all but a few architectures. */
const RESOURCES = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

/** A resource as `ulimit` and prlimit(1) know it: `nofile`, `cpu` (seconds), `as` (bytes), … */
export type LimitName = keyof typeof RESOURCES;

/** One number for both limits, or each by itself; what is left out stays. `Infinity`: none. */
export type LimitValue = number | { readonly soft?: number; readonly hard?: number };

/** RLIMIT_* of a child, in the units of setrlimit(2). */
export type Limits = { readonly [name in LimitName]?: LimitValue };

export const LIMIT_NAMES = Object.keys(RESOURCES) as readonly LimitName[];

/** What the native side takes: triples of resource, soft and hard limit; NaN stays as it is. */
export function limitTriples(limits: Limits | undefined): {
  readonly names: readonly string[];
  readonly triples: Float64Array;
} {
  if (limits === undefined) return NO_LIMITS;
  const given = Object.entries(optionsObject<Limits>(limits, 'options.limits')).filter(
    ([, value]) => value !== undefined,
  );
  const triples = given.flatMap(([name, value]) => {
    const where = `options.limits.${name}`;
    const resource = RESOURCES[oneOf(name, 'a key of options.limits', LIMIT_NAMES)];
    if (typeof value === 'number') return [resource, limit(value, where), value];
    if (typeof value !== 'object' || value === null) {
      throw typeError(where, 'a number or { soft, hard }', value);
    }
    const { soft, hard } = value as { soft?: unknown; hard?: unknown };
    const pair = [limit(soft, `${where}.soft`), limit(hard, `${where}.hard`)] as const;
    if (pair[0] > pair[1])
      throw valueError(`${where}.soft`, 'must not be over the hard limit', soft);
    return [resource, ...pair];
  });
  return { names: given.map(([name]) => name), triples: Float64Array.from(triples) };
}

const NO_LIMITS = { names: [], triples: new Float64Array(0) };

function limit(value: unknown, name: string): number {
  if (value === undefined) return NaN;
  if (typeof value !== 'number') throw typeError(name, 'a number', value);
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw rangeError(name, 'a whole number from 0 up, or Infinity', value);
}
