/** The ring of docs/layout.md as a machine, with a death at every point. */
import { search } from './model-search.js';

/** What is tried out. */
export interface ModelOptions {
  readonly producers: 1 | 2;
  readonly messages: number;
  /** How many processes die, at any point. */
  readonly deaths: number;
  /** A mistake, to see that the search would find it. */
  readonly mutant?: 'early tail' | 'no second look' | 'no wake' | 'early head';
}

/** Slots of the model's ring; positions count messages. */
const CAPACITY = 2;
const TORN = -1;
const NONE = -2;

interface Producer {
  at: string;
  /** The next of its messages. */
  next: number;
  tail: number;
  head: number;
  dead: boolean;
}

interface State {
  slots: number[];
  tail: number;
  head: number;
  consumerSleep: number;
  producerSleep: number;
  lock: number;
  producers: Producer[];
  consumer: { at: string; head: number; tail: number; got: number };
  deaths: number;
  /** How often those who sleep woke by themselves; after deaths only, where nothing else can happen. */
  timeouts: number;
  /** The last message got of each producer, and how often in all one came again. */
  last: number[];
  again: number;
}

type Step = (state: State) => void;

/** What is wrong with the protocol; `undefined` if nothing is, and how many states there are. */
export function explore(options: ModelOptions): { states: number; wrong: string | undefined } {
  const start: State = {
    slots: Array.from({ length: CAPACITY }, () => NONE),
    tail: 0,
    head: 0,
    consumerSleep: 0,
    producerSleep: 0,
    lock: 0,
    producers: Array.from({ length: options.producers }, () => ({
      at: 'lock',
      next: 0,
      tail: 0,
      head: 0,
      dead: false,
    })),
    consumer: { at: 'look', head: 0, tail: 0, got: NONE },
    deaths: 0,
    timeouts: 0,
    last: Array.from({ length: options.producers }, () => -1),
    again: 0,
  };
  return search({
    start,
    cloneOf,
    stepsFrom: (state) => stepsFrom(state, options),
    isDone: (state) => isDone(state, options),
    lookUp(state) {
      if (state.timeouts === state.deaths) return false;
      state.timeouts += 1;
      wakeAll(state);
      return true;
    },
  });
}

function cloneOf(state: State): State {
  return {
    ...state,
    slots: [...state.slots],
    producers: state.producers.map((producer) => ({ ...producer })),
    consumer: { ...state.consumer },
    last: [...state.last],
  };
}

function isDone(state: State, { messages }: ModelOptions): boolean {
  const sent = state.producers.every(({ next }) => next === messages);
  return sent && state.head === state.tail && state.consumer.at === 'asleep';
}

function stepsFrom(state: State, options: ModelOptions): Step[] {
  const steps: Step[] = [];
  state.producers.forEach((producer, index) => {
    if (producer.dead || producer.next === options.messages) return;
    steps.push((next) => stepProducer(next, index, options));
    if (state.deaths < options.deaths) steps.push((next) => killProducer(next, index));
  });
  state.producers.forEach((producer, index) => {
    // Another takes its seat, and goes on behind what was being sent when it died.
    if (producer.dead) steps.push((next) => replaceProducer(next, index));
  });
  steps.push((next) => stepConsumer(next, options));
  if (state.deaths < options.deaths) steps.push(killConsumer);
  return steps;
}

function killProducer(state: State, index: number): void {
  const producer = state.producers[index]!;
  producer.dead = true;
  state.deaths += 1;
}

function replaceProducer(state: State, index: number): void {
  const producer = state.producers[index]!;
  Object.assign(producer, { at: 'lock', next: producer.next + 1, dead: false });
  // Its lock is of an older generation.
  if (state.lock === index + 1) state.lock = 0;
}

function killConsumer(state: State): void {
  state.deaths += 1;
  state.consumer = { at: 'look', head: state.head, tail: state.head, got: NONE };
}

function wakeAll(state: State): void {
  wakeConsumer(state);
  wakeProducers(state);
}

function wakeConsumer({ consumer }: State): void {
  if (consumer.at === 'asleep') consumer.at = 'look';
}

function wakeProducers({ producers }: State): void {
  for (const producer of producers) if (producer.at === 'asleep') producer.at = 'lock';
}

function stepProducer(state: State, index: number, { mutant, producers }: ModelOptions): void {
  const self = state.producers[index]!;
  const slot = self.tail % CAPACITY;
  const message = index * 100 + self.next;
  switch (self.at) {
    case 'lock':
      if (producers > 1 && state.lock !== 0) {
        const holder = state.producers[state.lock - 1];
        if (holder?.dead === true) state.lock = 0;
        else self.at = 'lie down';
        return;
      }
      if (producers > 1) state.lock = index + 1;
      self.at = 'tail';
      return;
    case 'tail':
      self.tail = state.tail;
      self.at = 'head';
      return;
    case 'head':
      self.head = state.head;
      self.at = self.tail - self.head < CAPACITY ? 'begin' : 'full';
      if (mutant === 'early tail' && self.at === 'begin') state.tail = self.tail + 1;
      return;
    case 'begin':
      state.slots[slot] = TORN;
      self.at = 'finish';
      return;
    case 'finish':
      state.slots[slot] = message;
      self.at = 'publish';
      return;
    case 'publish':
      state.tail = self.tail + 1;
      self.at = 'sees sleeper';
      return;
    case 'sees sleeper':
      self.at = state.consumerSleep === 0 || mutant === 'no wake' ? 'sent' : 'wakes';
      return;
    case 'wakes':
      state.consumerSleep = 0;
      wakeConsumer(state);
      self.at = 'sent';
      return;
    case 'sent':
    case 'full':
      if (producers > 1) state.lock = 0;
      self.at = self.at === 'sent' ? 'unlocked, sent' : 'unlocked, full';
      return;
    case 'unlocked, sent':
    case 'unlocked, full': {
      const sent = self.at === 'unlocked, sent';
      if (producers > 1 && state.producerSleep !== 0) {
        state.producerSleep = 0;
        wakeProducers(state);
      }
      if (sent) self.next += 1;
      self.at = sent ? 'lock' : 'lie down';
      return;
    }
    case 'lie down':
      state.producerSleep = 1;
      self.at = mutant === 'no second look' ? 'sleep' : 'second look';
      return;
    case 'second look': {
      const free = state.lock === 0 && state.tail - state.head < CAPACITY;
      self.at = free ? 'lock' : 'sleep';
      return;
    }
    case 'sleep':
      // futex(2) looks at the word itself.
      self.at = state.producerSleep === 0 ? 'lock' : 'asleep';
      return;
    default: // asleep
  }
}

function stepConsumer(state: State, { mutant }: ModelOptions): void {
  const self = state.consumer;
  switch (self.at) {
    case 'look':
      self.tail = state.tail;
      self.at = self.tail === self.head ? 'lie down' : 'read';
      return;
    case 'read':
      if (mutant === 'early head') state.head = self.head + 1;
      self.got = state.slots[self.head % CAPACITY]!;
      self.at = 'check';
      return;
    case 'check':
      // The second half of the message; both must be of the same one.
      if (self.got < 0 || state.slots[self.head % CAPACITY] !== self.got) {
        throw new Error('a torn message');
      }
      deliver(state, self.got);
      self.at = 'give back';
      return;
    case 'give back':
      self.head += 1;
      state.head = self.head;
      self.at = 'sees sleeper';
      return;
    case 'sees sleeper':
      self.at = state.producerSleep === 0 ? 'look' : 'wakes';
      return;
    case 'wakes':
      state.producerSleep = 0;
      wakeProducers(state);
      self.at = 'look';
      return;
    case 'lie down':
      state.consumerSleep = 1;
      self.at = mutant === 'no second look' ? 'sleep' : 'second look';
      return;
    case 'second look':
      self.at = state.tail === self.head ? 'sleep' : 'look';
      return;
    case 'sleep':
      self.at = state.consumerSleep === 0 ? 'look' : 'asleep';
      return;
    default: // asleep
  }
}

/** In the order of its producer; one again only after a consumer's death; one missing only after a producer's. */
function deliver(state: State, message: number): void {
  const producer = Math.floor(message / 100);
  const number = message % 100;
  const last = state.last[producer]!;
  if (number <= last) {
    state.again += 1;
    if (state.again > state.deaths || number < last) throw new Error('a message twice');
  } else if (number - last - 1 > state.deaths) {
    throw new Error('a message lost');
  }
  state.last[producer] = Math.max(last, number);
}
