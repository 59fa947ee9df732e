/** What the broadcast’s model is about. */

/** What is tried out. */
export interface BroadcastModelOptions {
  /** How many messages are sent. */
  readonly messages: number;
  /** Payloads of those that are sent in turn: 0 or 1 word. */
  readonly payloads: readonly (0 | 1)[];
  /** How often the producer is killed, at any step, and another goes on. */
  readonly deaths: number;
  /** Where the reader begins. */
  readonly from: 'first' | 'next' | 'oldest';
  /** A mistake, to see that the search would find it. */
  readonly mutant?:
    | 'begun late'
    | 'last early'
    | 'begun first'
    | 'no look at begun'
    | 'begun lowered'
    | 'no marks'
    | 'no second look'
    | 'no wake';
}

/** Words; a record has at most a quarter: two of header, one of payload. */
export const CAPACITY = 12;
export const QUARTER = CAPACITY / 4;

/** First words of records. */
export const KIND = { message: 100, filler: 200 } as const;

export interface Producer {
  at: string;
  here: number;
  number: number;
  begun: number;
  /** How many were begun, of which some were never published. */
  tries: number;
}

export interface BroadcastState {
  words: number[];
  begun: number;
  last: number;
  marks: number[];
  sleep: number;
  producer: Producer;
  reader: Reader;
  /** Which try became the message of this number. */
  sent: number[];
  deaths: number;
  timeouts: number;
}

/** A reader, and what it has loaded. */
export interface Reader {
  at: string;
  here: number;
  /** Of the next message. */
  number: number;
  gap: 'none' | 'missed' | 'any';
  /** The words of what may be a record, as they were loaded. */
  got: number[];
  begun: number;
  last: number;
  /** The quarter whose mark is looked at. */
  quarter: number;
  joining: boolean;
  /** The last message that it had, -1: none. */
  had: number;
}
