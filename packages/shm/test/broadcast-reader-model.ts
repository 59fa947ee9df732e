/** A reader of the broadcast's model: every step is one load, or what is decided between two. */
import {
  CAPACITY,
  KIND,
  QUARTER,
  type BroadcastModelOptions,
  type BroadcastState,
  type Reader,
} from './broadcast-model-state.js';

/** A reader that has just come. */
export function join(from: BroadcastModelOptions['from']): Reader {
  return {
    at: from === 'first' ? 'last' : 'join',
    here: CAPACITY,
    number: 0,
    gap: 'none',
    got: [],
    begun: 0,
    last: 0,
    quarter: 0,
    joining: from === 'oldest',
    had: -1,
  };
}

export function stepReader(state: BroadcastState, { mutant }: BroadcastModelOptions): void {
  const self = state.reader;
  const at = self.here % CAPACITY;
  const first = self.got[0] ?? 0;
  const isMessage = first >= KIND.message + 2 && first <= KIND.message + QUARTER;
  switch (self.at) {
    case 'last':
      // What is not needed any more makes no states of its own.
      Object.assign(self, { last: state.last, got: [], begun: 0, quarter: 0 });
      self.at = self.last < self.here ? 'lies down' : 'header';
      if (mutant === 'begun first' && self.at === 'header') self.begun = state.begun;
      return;
    case 'header':
      self.got[0] = state.words[at]!;
      self.at = at + 2 > CAPACITY ? 'begun' : 'number';
      return;
    case 'number':
      self.got[1] = state.words[at + 1]!;
      self.at = first === KIND.message + 3 && at + 3 <= CAPACITY ? 'payload' : 'begun';
      return;
    case 'payload':
      self.got[2] = state.words[at + 2]!;
      self.at = 'begun';
      return;
    case 'begun':
      if (mutant === 'no look at begun') self.begun = self.here;
      else if (mutant !== 'begun first') self.begun = state.begun;
      self.at = self.begun - self.here > CAPACITY ? 'overrun' : 'judge';
      return;
    case 'judge':
      judge(state, isMessage);
      Object.assign(self, { at: 'last', got: [], begun: 0, last: 0 });
      return;
    case 'lies down':
      state.sleep = 1;
      self.at = mutant === 'no second look' ? 'sleep' : 'second look';
      return;
    case 'second look':
      self.at = state.last === self.last ? 'sleep' : 'last';
      return;
    case 'sleep':
      // futex(2) looks at the word itself.
      self.at = state.sleep === 0 ? 'last' : 'asleep';
      return;
    case 'asleep':
      return;
    default:
      if (self.at.startsWith('join')) stepJoin(state);
      else stepOverrun(state);
  }
}

function judge({ reader: self, sent }: BroadcastState, isMessage: boolean): void {
  const [first = 0, number = -1, payload] = self.got;
  const at = self.here % CAPACITY;
  const size = first % 100;
  if (first - KIND.filler === CAPACITY - at && at !== 0) {
    self.here += size;
    return;
  }
  const expected =
    number === self.number || self.gap === 'any' || (self.gap === 'missed' && number > self.number);
  if (!isMessage || at + size > CAPACITY || !expected) throw new Error('taken for damage');
  if (payload !== undefined && payload !== 1000 + sent[number]!) throw new Error('a torn message');
  if (number <= self.had) throw new Error('a message twice');
  if (self.gap === 'none' && self.had >= 0 && number !== self.had + 1) throw new Error('lost');
  self.gap = 'none';
  self.had = number;
  self.number = number + 1;
  self.here += size;
}

/** To the oldest message that will not be overwritten at once. */
function stepOverrun({ last, begun, marks, reader: self }: BroadcastState): void {
  const newest = Math.floor(self.last / QUARTER);
  switch (self.at) {
    case 'overrun':
      self.last = last;
      self.quarter = Math.max(Math.floor(last / QUARTER) - 1, 4);
      self.at = 'overrun, begun';
      return;
    case 'overrun, begun':
      self.begun = begun;
      self.at = 'overrun, mark';
      return;
    case 'overrun, mark': {
      const mark = marks[self.quarter % 4]!;
      const quarter = Math.floor(mark / QUARTER);
      if (quarter > self.quarter) self.at = 'overrun, moved';
      else if (quarter < self.quarter) throw new Error('a mark taken for damage');
      else if (self.quarter < newest && self.begun - mark > 3 * QUARTER) self.quarter += 1;
      else if (!self.joining && mark <= self.here) throw new Error('a mark behind');
      else {
        if (self.gap === 'none') self.gap = self.joining ? 'any' : 'missed';
        Object.assign(self, { here: mark, joining: false, at: 'last', got: [] });
        Object.assign(self, { begun: 0, quarter: 0, last: 0 });
      }
      return;
    }
    default: // moved
      if (last === self.last) throw new Error('a later mark taken for damage');
      self.at = self.joining ? 'overrun' : 'last';
  }
}

/** To the end of the newest message, as it is when a reader comes. */
function stepJoin({ last, words, begun, reader: self }: BroadcastState): void {
  const at = self.last % CAPACITY;
  switch (self.at) {
    case 'join':
      self.last = last;
      self.at = last === 0 ? 'last' : 'join, header';
      // Of nothing there is no oldest.
      if (last === 0) self.joining = false;
      return;
    case 'join, header':
      self.got[0] = words[at]!;
      self.at = 'join, number';
      return;
    case 'join, number':
      self.got[1] = words[at + 1]!;
      self.at = 'join, begun';
      return;
    case 'join, begun':
      self.begun = begun;
      self.at = 'join, moved';
      return;
    default: {
      // moved
      if (last !== self.last) {
        self.at = 'join';
        return;
      }
      const size = self.got[0]! - KIND.message;
      self.here = last + size;
      self.number = self.got[1]! + 1;
      const whole = self.begun >= self.here && self.begun - last <= CAPACITY;
      if (size < 2 || size > QUARTER || !whole) throw new Error('a newest taken for damage');
      self.at = self.joining ? 'overrun' : 'last';
    }
  }
}
