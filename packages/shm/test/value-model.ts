/** The value of docs/layout.md as a machine: writers, and a reader that waits for each change. */
import { search } from './model-search.js';

/** What is tried out. */
export interface ValueModelOptions {
  readonly writers: number;
  /** How often each sets it. */
  readonly sets: number;
  /** How many processes are killed, at any step. */
  readonly deaths: number;
  /** The reader takes a turn of its own, as after many tries. */
  readonly turn?: boolean;
  /** A mistake, to see that the search would find it. */
  readonly mutant?:
    | 'begun late'
    | 'version early'
    | 'begun first'
    | 'no look at begun'
    | 'one slot'
    | 'no turn'
    | 'no second look'
    | 'no wake';
}

interface Process {
  at: string;
  /** How many have died in its place: another one has another identity. */
  generation: number;
  version: number;
  /** Of a writer: what it sets next. Of a reader: the version that it got. */
  done: number;
}

interface State {
  begun: number;
  version: number;
  turn: number;
  sleep: number;
  slots: [number, number][];
  writers: Process[];
  reader: Process & { got: [number, number]; begun: number; overtaken: number };
  /** What was set, by its version. */
  states: number[];
  deaths: number;
  timeouts: number;
}

const NONE = -1;
const READER = 9;

const identityOf = (index: number, { generation }: Process): number => 10 * generation + index;

/** What is wrong with the protocol. */
export function exploreValue(options: ValueModelOptions): ReturnType<typeof search> {
  const process = { at: 'take', generation: 1, version: 0, done: 0 };
  const start: State = {
    begun: 0,
    version: 0,
    turn: 0,
    sleep: 0,
    slots: [
      [NONE, NONE],
      [NONE, NONE],
    ],
    writers: Array.from({ length: options.writers }, () => ({ ...process })),
    reader: { ...process, at: 'version', got: [NONE, NONE], begun: 0, overtaken: 0 },
    states: [],
    deaths: 0,
    timeouts: 0,
  };
  return search({
    start,
    cloneOf,
    stepsFrom: (state) => stepsFrom(state, options),
    isDone: ({ writers, reader, version }) =>
      writers.every(({ done }) => done === options.sets) && reader.done === version,
    lookUp(state) {
      if (state.timeouts === state.deaths || state.reader.at !== 'asleep') return false;
      state.timeouts += 1;
      state.reader.at = 'version';
      return true;
    },
  });
}

function cloneOf(state: State): State {
  return {
    ...state,
    slots: state.slots.map((slot) => [...slot] as [number, number]),
    writers: state.writers.map((writer) => ({ ...writer })),
    reader: { ...state.reader, got: [...state.reader.got] as [number, number] },
    states: [...state.states],
  };
}

function stepsFrom(state: State, options: ValueModelOptions): ((next: State) => void)[] {
  const steps = [(next: State) => stepReader(next, options)];
  state.writers.forEach(({ done }, index) => {
    if (done === options.sets) return;
    steps.push((next) => stepWriter(next, index, options));
    if (state.deaths < options.deaths) steps.push((next) => kill(next, next.writers[index]!));
  });
  if (state.deaths < options.deaths) {
    steps.push((next) => {
      kill(next, next.reader);
      Object.assign(next.reader, { at: 'version', done: 0, overtaken: 0 });
    });
  }
  return steps;
}

/** Another takes its place, and has something else to set. */
function kill(state: State, process: Process): void {
  state.deaths += 1;
  process.generation += 1;
  process.at = 'take';
  process.done += 1;
}

/** Whether it is its turn now: nobody had it, or somebody who is dead. */
function takeTurn(state: State, identity: number): boolean {
  const holder = state.turn % 10;
  const process = holder === READER ? state.reader : state.writers[holder - 1];
  const lives = state.turn !== 0 && identityOf(holder, process!) === state.turn;
  if (lives && state.turn !== identity) return false;
  state.turn = identity;
  return true;
}

function stepWriter(state: State, index: number, { mutant }: ValueModelOptions): void {
  const self = state.writers[index]!;
  const identity = identityOf(index + 1, self);
  const slot = state.slots[mutant === 'one slot' ? 0 : self.version % 2]!;
  const value = 100 * identity + self.done;
  const publish = (): void => {
    state.version = self.version;
    state.states[self.version] = value;
  };
  switch (self.at) {
    case 'take':
      if (mutant === 'no turn' || takeTurn(state, identity)) self.at = 'version';
      return;
    case 'version':
      self.version = state.version + 1;
      self.at = mutant === 'begun late' ? 'first word' : 'begun';
      return;
    case 'begun':
      state.begun = self.version;
      if (mutant === 'version early') publish();
      self.at = mutant === 'begun late' ? 'publish' : 'first word';
      return;
    case 'first word':
      slot[0] = value;
      self.at = 'second word';
      return;
    case 'second word':
      slot[1] = value;
      self.at = mutant === 'begun late' ? 'begun' : 'publish';
      return;
    case 'publish':
      publish();
      self.at = 'give back';
      return;
    case 'give back':
      if (state.turn === identity) state.turn = 0;
      self.at = 'sees sleeper';
      return;
    case 'sees sleeper':
      self.at = state.sleep === 0 || mutant === 'no wake' ? 'done' : 'wakes';
      return;
    case 'wakes':
      state.sleep = 0;
      if (state.reader.at === 'asleep') state.reader.at = 'version';
      self.at = 'done';
      return;
    default: // done
      self.done += 1;
      self.at = 'take';
  }
}

function stepReader(state: State, { mutant, turn }: ValueModelOptions): void {
  const self = state.reader;
  const slot = state.slots[mutant === 'one slot' ? 0 : self.version % 2]!;
  switch (self.at) {
    case 'version':
      if (turn === true && !takeTurn(state, identityOf(READER, self))) return;
      self.version = state.version;
      if (self.version === self.overtaken && self.version !== 0)
        throw new Error('taken for damage');
      self.at = self.version === self.done ? 'give back' : 'first word';
      if (self.at === 'first word' && mutant === 'begun first') self.at = 'begun';
      return;
    case 'begun':
      self.begun = state.begun;
      self.at = mutant === 'begun first' ? 'first word' : 'judge';
      return;
    case 'first word':
      self.got[0] = slot[0];
      self.at = 'second word';
      return;
    case 'second word':
      self.got[1] = slot[1];
      self.at = mutant === 'begun first' ? 'judge' : 'begun';
      if (mutant === 'no look at begun') Object.assign(self, { begun: self.version, at: 'judge' });
      return;
    case 'judge':
      judge(state);
      self.at = self.overtaken === self.version ? 'version' : 'give back';
      return;
    case 'give back':
      if (state.turn === identityOf(READER, self)) state.turn = 0;
      self.at = 'lies down';
      return;
    case 'lies down':
      state.sleep = 1;
      self.at = mutant === 'no second look' ? 'sleep' : 'second look';
      return;
    case 'second look':
      self.at = state.version === self.done ? 'sleep' : 'version';
      return;
    case 'sleep':
      // futex(2) looks at the word itself.
      self.at = state.sleep === 0 ? 'version' : 'asleep';
      return;
    default: // asleep
  }
}

function judge({ reader, states }: State): void {
  const { version, begun, got } = reader;
  if (begun !== version && begun !== version + 1) {
    reader.overtaken = version;
    return;
  }
  if (got[0] !== got[1] || got[0] !== states[version]) throw new Error('a torn state');
  if (version < reader.done) throw new Error('an older state');
  reader.done = version;
  reader.overtaken = 0;
}
