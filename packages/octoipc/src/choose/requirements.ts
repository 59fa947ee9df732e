import { longestInQueues, MECHANISMS, type Mechanism } from './candidates.js';
import type { Need } from './need.js';

/** PIPE_BUF, less the length of a frame: what several may write at once without mixing. */
const LONGEST_ATOMIC = 4092;
/** Of a packet, by the usual net.core.wmem_default. */
const LONGEST_PACKET = 200_000;
/** A ring has so many producers' seats. */
const MOST_PRODUCERS = 32;

type Objection = (need: Need) => string | false;

/** What speaks against each mechanism, whatever its speed: the first that holds is told. */
const OBJECTIONS: Readonly<Record<Mechanism, readonly Objection[]>> = {
  pipe: [
    elsewhere,
    lost,
    ({ related }) => !related && 'only processes that inherit it have it',
    ({ processes, size }) => processes > 2 && size > LONGEST_ATOMIC && MIXED,
  ],
  fifo: [
    elsewhere,
    lost,
    secret,
    ({ processes, size }) => processes > 2 && size > LONGEST_ATOMIC && MIXED,
  ],
  unix: [elsewhere, lost],
  'unix+seqpacket': [
    elsewhere,
    lost,
    ({ size }) => size > LONGEST_PACKET && `a packet has at most some ${LONGEST_PACKET} bytes`,
  ],
  shm: [
    elsewhere,
    restart,
    secret,
    ({ processes }) =>
      processes > MOST_PRODUCERS + 1 && `a ring has ${MOST_PRODUCERS} producers at most`,
  ],
  mq: [elsewhere, restart, secret, tooLong],
  'sysv-mq': [elsewhere, restart, secret, tooLong],
  tcp: [
    lost,
    ({ keepOut, sameMachine }) =>
      sameMachine && keepOut !== 'nobody' && 'every user of the machine may connect to a port',
  ],
};

const MIXED = `several write at once, and over ${LONGEST_ATOMIC} bytes they mix`;

function elsewhere({ sameMachine }: Need): string | false {
  return !sameMachine && 'it does not leave the machine';
}

function lost({ survives }: Need): string | false {
  return survives !== 'nothing' && 'what is on its way is lost with the processes';
}

function restart({ survives }: Need): string | false {
  return survives === 'restart' && 'it is in memory: a restart of the machine ends it';
}

function secret({ keepOut }: Need): string | false {
  return keepOut === 'processes' && 'every process of the same user can open it by its name';
}

function tooLong({ size }: Need): string | false {
  const longest = longestInQueues();
  return (
    size > longest &&
    `a message has at most ${longest} bytes here (fs.mqueue.msgsize_max, kernel.msgmax)`
  );
}

/**
 * Why mechanisms are out of the question.
 *
 * @param need - what is needed
 * @returns a reason for each that cannot do it
 */
export function excluded(need: Need): Map<Mechanism, string> {
  const reasons = MECHANISMS.flatMap((mechanism): [Mechanism, string][] => {
    const reason = OBJECTIONS[mechanism]
      .map((object) => object(need))
      .find((each) => each !== false);
    return reason === undefined ? [] : [[mechanism, reason as string]];
  });
  return new Map(reasons);
}
