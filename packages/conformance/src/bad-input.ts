import type { Adapter } from './adapter.js';
import { badInputCases } from './bad-input-cases.js';
import type { Suite } from './case.js';

/** What an interface may lack that could be passed wrongly. */
export type BadInputTrait =
  /** It takes numbers. */
  | 'numbers'
  /** It takes options. */
  | 'options'
  /** It takes data. */
  | 'data'
  /** It takes names. */
  | 'names'
  /** It has methods. */
  | 'methods';

/** A call that takes one parameter, which the suite passes. */
export type Call = (value: never) => unknown;

/** A numeric parameter that allows more than most. */
export interface NumberParameter {
  readonly call: Call;
  /** Numbers of the suite's list that it may take: a timeout takes 1.5. */
  accepts(value: number): boolean;
}

/** Everything of an interface that takes arguments. */
export interface BadInputSubject {
  /** Calls by numeric parameter: `'read({ maxBytes })': (maxBytes) => reader.read({ maxBytes })`. */
  readonly numbers?: Readonly<Record<string, Call | NumberParameter>>;
  /** Calls by what takes options: `'read(options)': (options) => reader.read(options)`. */
  readonly options?: Readonly<Record<string, Call>>;
  /** The same for those that take a signal in their options; not given what takes none. */
  readonly waits?: Readonly<Record<string, Call>>;
  /** Calls that take a string or a view of memory as data. */
  readonly data?: Readonly<Record<string, Call>>;
  /** Calls that take a name or a path, which C would cut at a NUL. */
  readonly names?: Readonly<Record<string, Call>>;
  /** Objects, each with methods and accessors that must see through a wrong `this`. */
  readonly methods?: readonly { readonly of: object; readonly names: readonly PropertyKey[] }[];
  /** What a refused call must leave as it was; compared deeply. */
  state?(): unknown;
  close(): void;
}

/** How to open what is to be misused. */
export interface BadInputAdapter extends Adapter<BadInputTrait> {
  open(): BadInputSubject | Promise<BadInputSubject>;
}

/** All cases of bad input. */
export const badInputSuite: Suite<BadInputAdapter> = { trait: 'bad input', cases: badInputCases };
