/**
 * The broadcast of docs/layout.md as a machine: a producer whose records go round several times, and a
 * reader. Positions count words, as many as a small ring has.
 */
import {
  CAPACITY,
  KIND,
  QUARTER,
  type BroadcastModelOptions,
  type BroadcastState,
} from './broadcast-model-state.js';
import { join, stepReader } from './broadcast-reader-model.js';
import { search } from './model-search.js';

/** What is wrong with the protocol. */
export function exploreBroadcast(options: BroadcastModelOptions): ReturnType<typeof search> {
  const start: BroadcastState = {
    words: Array.from({ length: CAPACITY }, () => 0),
    begun: 0,
    last: 0,
    marks: [0, 0, 0, 0],
    sleep: 0,
    producer: { at: 'begun', here: CAPACITY, number: 0, begun: 0, tries: 0 },
    reader: join(options.from),
    sent: [],
    deaths: 0,
    timeouts: 0,
  };
  return search({
    start,
    cloneOf: (state) => ({
      ...state,
      words: [...state.words],
      marks: [...state.marks],
      producer: { ...state.producer },
      reader: { ...state.reader, got: [...state.reader.got] },
      sent: [...state.sent],
    }),
    stepsFrom(state) {
      const steps = [(next: BroadcastState) => stepReader(next, options)];
      if (state.producer.number === options.messages) return steps;
      steps.push((next) => stepProducer(next, options));
      if (state.deaths < options.deaths) steps.push(killProducer);
      return steps;
    },
    isDone: ({ reader, producer, last }) =>
      producer.number === options.messages && reader.here > last,
    lookUp(state) {
      if (state.timeouts === state.deaths || state.reader.at !== 'asleep') return false;
      state.timeouts += 1;
      state.reader.at = 'last';
      return true;
    },
  });
}

/** Another joins, who reads where the newest ends. It is alone, so this is one step. */
function killProducer(state: BroadcastState): void {
  const { producer, last } = state;
  state.deaths += 1;
  producer.tries += 1;
  producer.at = 'begun';
  producer.begun = state.begun;
  if (last === 0) return;
  producer.here = last + (state.words[last % CAPACITY]! - KIND.message);
  producer.number = state.words[(last + 1) % CAPACITY]! + 1;
}

function stepProducer(state: BroadcastState, { payloads, mutant }: BroadcastModelOptions): void {
  const self = state.producer;
  const size = 2 + payloads[self.tries % payloads.length]!;
  const rest = CAPACITY - (self.here % CAPACITY);
  const start = size > rest ? self.here + rest : self.here;
  const word = (index: number): number => (start + index) % CAPACITY;
  const afterData = (): string => (mutant === 'begun late' ? 'begun' : 'last');
  switch (self.at) {
    case 'begun':
      if (mutant === 'begun late' && state.words[word(1)] !== self.number) {
        // It comes here once more when the data are there.
        self.at = start === self.here ? 'mark' : 'filler’s mark';
        return;
      }
      self.begun = mutant === 'begun lowered' ? start + size : Math.max(self.begun, start + size);
      state.begun = self.begun;
      if (mutant === 'last early') publish(state, start);
      self.at = start === self.here ? 'mark' : 'filler’s mark';
      if (mutant === 'begun late') self.at = 'last';
      return;
    case 'filler’s mark':
      mark(state, self.here, mutant);
      self.at = 'filler';
      return;
    case 'filler':
      state.words[self.here % CAPACITY] = KIND.filler + rest;
      self.at = 'mark';
      return;
    case 'mark':
      mark(state, start, mutant);
      self.at = 'header';
      return;
    case 'header':
      state.words[word(0)] = KIND.message + size;
      self.at = 'number';
      return;
    case 'number':
      state.words[word(1)] = self.number;
      self.at = size === 2 ? afterData() : 'payload';
      return;
    case 'payload':
      state.words[word(2)] = 1000 + self.tries;
      self.at = afterData();
      return;
    case 'last':
      publish(state, start);
      self.at = 'sees sleeper';
      return;
    case 'sees sleeper':
      self.at = state.sleep === 0 || mutant === 'no wake' ? 'sent' : 'wakes';
      return;
    case 'wakes':
      state.sleep = 0;
      if (state.reader.at === 'asleep') state.reader.at = 'last';
      self.at = 'sent';
      return;
    default: // sent
      Object.assign(self, { at: 'begun', here: start + size, number: self.number + 1 });
      self.tries += 1;
  }
}

function publish(state: BroadcastState, start: number): void {
  state.last = start;
  state.sent[state.producer.number] = state.producer.tries;
}

/** The first record that begins in a quarter leaves a mark. */
function mark({ marks }: BroadcastState, position: number, mutant: string | undefined): void {
  const quarter = Math.floor(position / QUARTER);
  if (mutant === 'no marks' || Math.floor(marks[quarter % 4]! / QUARTER) === quarter) return;
  marks[quarter % 4] = position;
}
