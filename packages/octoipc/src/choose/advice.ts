import { MECHANISMS, type Mechanism } from './candidates.js';
import type { Measurement } from './measure.js';
import type { Need } from './need.js';

/** A mechanism, with its figures or the reason why it has none. */
export interface Candidate {
  readonly mechanism: Mechanism;
  readonly measured: Measurement | null;
  /** Why it is out of the question, or could not be measured. */
  readonly excluded: string | null;
}

/** What is recommended, and why. */
export interface Advice {
  /** A mechanism; `nats+jetstream` where nothing of this machine will do. */
  readonly recommended: Mechanism | 'nats+jetstream';
  readonly reason: string;
  /** What the textbooks say, and whether the figures bear that out. */
  readonly textbook: string;
}

/** From this rate on, or this many bytes a second, what counts is how much goes through. */
const FREQUENT = 2000;
const MUCH = 50e6;
/** Short, as the textbooks have it. */
const SHORT = 4096;
const LARGE = 65_536;
/** Figures that differ by less are the same, on a machine that does other things as well. */
const CLOSE = 1.25;

/**
 * What to use.
 *
 * @param need - what is needed
 * @param candidates - all mechanisms, measured or excluded
 * @returns the recommendation
 */
export function advise(need: Need, candidates: readonly Candidate[]): Advice {
  const measured = candidates.filter(
    (each): each is Candidate & { measured: Measurement } =>
      each.excluded === null && each.measured !== null,
  );
  if (measured.length === 0) return leaveTheMachine(need);
  const throughput = need.rate >= FREQUENT || need.rate * need.size >= MUCH;
  const merit = ({ measured: figures }: { measured: Measurement }): number =>
    throughput ? figures.messagesPerSecond : 1e6 / figures.roundTrip;
  const best = Math.max(...measured.map(merit));
  // Of those that are as good, the simplest.
  const chosen = measured
    .filter((each) => merit(each) * CLOSE >= best)
    .toSorted((a, b) => rank(a.mechanism) - rank(b.mechanism))[0]!;
  return {
    recommended: chosen.mechanism,
    reason: reasonFor(need, chosen, measured, { throughput, best, merit }),
    textbook: textbook(need, chosen, candidates, merit, throughput),
  };
}

function rank(mechanism: Mechanism): number {
  return MECHANISMS.indexOf(mechanism);
}

type Measured = Candidate & { measured: Measurement };

function reasonFor(
  need: Need,
  chosen: Measured,
  measured: readonly Measured[],
  judged: { throughput: boolean; best: number; merit: (each: Measured) => number },
): string {
  const { throughput, best, merit } = judged;
  const { messagesPerSecond, roundTrip } = chosen.measured;
  const what = throughput
    ? `it takes ${number(messagesPerSecond)} messages of ${number(need.size)} bytes a second here`
    : `an answer is there after ${roundTrip} µs here`;
  const compared =
    measured.length === 1
      ? 'it is the only one that can do what is needed'
      : merit(chosen) === best
        ? 'the best of those that can do what is needed'
        : `within ${Math.round((CLOSE - 1) * 100)} % of the best, and simpler`;
  const short =
    messagesPerSecond < need.rate
      ? ` But that is less than the ${number(need.rate)} that you need: put several messages into one.`
      : '';
  return `${what}: ${compared}.${short}`;
}

/** What textbooks recommend, and for which reason. */
function rule({ size, processes, related, sameMachine, survives }: Need): [Mechanism, string] {
  if (!sameMachine) return ['tcp', 'sockets across machines'];
  if (survives !== 'nothing') return ['mq', 'message queues where messages must outlive processes'];
  if (processes === 2 && size <= SHORT) {
    return related
      ? ['pipe', 'pipes for short, frequent messages between a process and its child']
      : ['fifo', 'FIFOs for short, frequent messages between two unrelated processes'];
  }
  if (size >= LARGE) return ['shm', 'shared memory for large data'];
  return ['unix', 'sockets for the rest'];
}

function textbook(
  need: Need,
  chosen: Measured,
  candidates: readonly Candidate[],
  merit: (each: Measured) => number,
  throughput: boolean,
): string {
  const [mechanism, says] = rule(need);
  const head = `The textbooks say: ${says}.`;
  const theirs = candidates.find((each) => each.mechanism === mechanism)!;
  if (mechanism === chosen.mechanism) return `${head} So do the figures.`;
  if (theirs.measured === null || theirs.excluded !== null) {
    return `${head} Not here: ${theirs.excluded ?? 'it could not be measured'}.`;
  }
  const factor = merit(chosen) / merit(theirs as Measured);
  if (factor < CLOSE) {
    return `${head} The figures do not contradict that: ${mechanism} is as good, ${chosen.mechanism} simpler to look after.`;
  }
  const more = throughput ? `as many messages` : `as fast an answer`;
  return `${head} The figures disagree: ${chosen.mechanism} gives ${factor.toFixed(1)} times ${more} as ${mechanism}.`;
}

function leaveTheMachine({ survives, sameMachine }: Need): Advice {
  const why =
    survives === 'restart'
      ? 'no IPC object outlives a restart of the machine: what must, has to be on a disk, as a JetStream server keeps it'
      : sameMachine
        ? 'no mechanism of this machine does all that: a JetStream server has accounts, keeps messages and takes any number'
        : 'across machines a crash loses what is on its way: a JetStream server keeps it';
  return {
    recommended: 'nats+jetstream',
    reason: `${why}. It was not measured.`,
    textbook: 'The textbooks of IPC end here.',
  };
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
