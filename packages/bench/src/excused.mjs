// @ts-check
// Targets that are out of reach here, each with the decision that shows it by a measurement: a heading of
// docs/decisions.md. `scripts/check.mjs --only figures` looks whether rows and headings are there.

/**
 * @typedef {object} Excuse
 * @property {string} suite
 * @property {RegExp} row - the ids of its rows
 * @property {RegExp} against - the names of the others
 * @property {string} decision - the heading, as it stands there
 */

/** @type {readonly Excuse[]} */
export const EXCUSED = [
  ...['fifo', 'mq', 'pipe', 'popen', 'sem', 'shm', 'signal', 'socket'].map((suite) => ({
    suite,
    row: /^import$/,
    against: /^an empty module$/,
    decision: 'What an import takes at least',
  })),
  {
    suite: 'mq',
    row: /^posix-((sync|many)-(4096|8192)|iterate-64)$/,
    against: /^C, one call a message$/,
    decision: 'What queues do not reach',
  },
  {
    suite: 'mq',
    row: /^(posix-awaited-64|posix-pair-4096|sysv-pair-4096|sysv-fresh-64)$/,
    against: /^C, one call a message$/,
    decision: 'What Node-API takes of a message',
  },
  {
    suite: 'mq',
    row: /^sysv-roundtrip-awaited$/,
    against: /^C, blocked$/,
    decision: 'A System V wait has a thread, and its price',
  },
  {
    suite: 'sem',
    row: /^sysv$/,
    against: /^C, blocked$/,
    decision: 'A System V wait has a thread, and its price',
  },
  {
    suite: 'pipe',
    row: /^(frames|many)$/,
    against: /^(C, (one call a message|batched calls)|process\.send, json)$/,
    decision: 'Frames: one promise a batch',
  },
  {
    suite: 'fifo',
    row: /^(frames|many)$/,
    against: /^(C, (one call a message|batched calls)|process\.send, json)$/,
    decision: 'Frames: one promise a batch',
  },
  {
    suite: 'pipe',
    row: /^roundtrip-(awaited|messages)$/,
    against: /^C, (blocked in read|libuv loop)$/,
    decision: "Awaited round trips: the floor is Node's loop",
  },
  {
    suite: 'fifo',
    row: /^roundtrip-awaited$/,
    against: /^C, (blocked in read|libuv loop)$/,
    decision: "Awaited round trips: the floor is Node's loop",
  },
  {
    suite: 'mq',
    row: /^posix-roundtrip-awaited$/,
    against: /^C, (blocked|libuv loop)$/,
    decision: "Awaited round trips: the floor is Node's loop",
  },
  {
    suite: 'ring',
    row: /^trips-awaited$/,
    against: /^(C eventfd, epoll loop|process\.send|worker postMessage)$/,
    decision: "Awaited round trips: the floor is Node's loop",
  },
  {
    suite: 'signal',
    row: /^roundtrip$/,
    against: /^C, libuv loop$/,
    decision: "Awaited round trips: the floor is Node's loop",
  },
  {
    suite: 'socket',
    row: /^(stream|seqpacket|datagram|tcp)-roundtrip-awaited$/,
    against: /^C, libuv loop$/,
    decision: "Awaited round trips: the floor is Node's loop",
  },
  {
    suite: 'socket',
    row: /^(seqpacket|datagram)-roundtrip-awaited$/,
    against: /^C, blocked in recv$/,
    decision: "Awaited round trips: the floor is Node's loop",
  },
  {
    suite: 'socket',
    row: /^datagram-roundtrip-sync$/,
    against: /^C, blocked in recv$/,
    decision: 'What sockets do not reach',
  },
  {
    suite: 'socket',
    row: /^(seqpacket|datagram)-sync-65536$/,
    against: /^C, one call a message$/,
    decision: 'What sockets do not reach',
  },
  {
    suite: 'signal',
    row: /^sync-roundtrip$/,
    against: /^C, blocked in sigtimedwait$/,
    decision: 'Blocking for a signal is poll, in slices',
  },
  {
    suite: 'socket',
    row: /^(seqpacket|datagram)-awaited-(64|1024)$/,
    against: /^C, one call a message$/,
    decision: 'What sockets do not reach',
  },
  {
    suite: 'socket',
    row: /^(stream|tcp)-duplex$/,
    against: /^(C send, recv|net)$/,
    decision: 'What sockets do not reach',
  },
  {
    suite: 'socket',
    row: /^stream-frames$/,
    against: /^(C, batched calls|process\.send, json)$/,
    decision: 'Frames: one promise a batch',
  },
  {
    suite: 'ring',
    row: /^consume-64$/,
    against: /^C, (same layout|published one by one)$/,
    decision: 'What a ring costs by itself',
  },
  ...['pipe', 'fifo'].map((suite) => ({
    suite,
    row: /^sync-(1024|4096)$/,
    against: /^C write, read$/,
    decision: 'A pipe whose ends never sleep',
  })),
  {
    suite: 'ring',
    row: /^trips-(spin|sync)$/,
    against: /^(process\.send|C, spinning)$/,
    decision: 'What a ring costs by itself',
  },
  {
    suite: 'ring',
    row: /^(consume|awaited)-64$/,
    against: /^process\.send, (json|advanced)$/,
    decision: 'What a ring costs by itself',
  },
  {
    suite: 'mq',
    row: /^posix-fresh-4096$/,
    against: /^C, one call a message$/,
    decision: 'What Node-API takes of a message',
  },
  {
    suite: 'ring',
    row: /^many-64$/,
    against: /^C, same layout$/,
    decision: 'What a ring costs by itself',
  },
  {
    suite: 'ring',
    row: /^consume-1024$/,
    against: /^C, same layout$/,
    decision: 'What a ring costs by itself',
  },
  {
    suite: 'ring',
    row: /^zero-copy-(65536|1048576)$/,
    against: /^C, same layout$/,
    decision: 'What a ring costs by itself',
  },
  {
    suite: 'signal',
    row: /^open$/,
    against: /^C sigprocmask, signalfd$/,
    decision: 'Signals are blocked in every thread, and read',
  },
  {
    suite: 'shm',
    row: /^((posix|open)-4096|attach-1048576|open-file)$/,
    against: /^C (open … unlink|memfd_create … close|open, mmap … close)$/,
    decision: 'What shared memory does not reach',
  },
  {
    suite: 'shm',
    row: /^fill-16777216$/,
    against: /^C memset$/,
    decision: 'What shared memory does not reach',
  },
  {
    suite: 'mq',
    row: /^sysv-open$/,
    against: /^C msgget$/,
    decision: 'What a handle costs by itself',
  },
  {
    suite: 'sem',
    row: /^opensysv$/,
    against: /^C, opensysv$/,
    decision: 'What a handle costs by itself',
  },
  {
    suite: 'socket',
    row: /^(bind|listen)$/,
    against: /^C socket … (close|unlink)$/,
    decision: 'What a handle costs by itself',
  },
  {
    suite: 'peers',
    row: /^(seqpacket|datagram)$/,
    against: /^node-unix-socket$/,
    decision: 'Peers that are quicker than they were',
  },
  {
    suite: 'peers',
    row: /^datagram-trips$/,
    against: /^unix-dgram$/,
    decision: 'Peers that are quicker than they were',
  },
  {
    suite: 'popen',
    row: /^empty$/,
    against: /^C posix_spawn$/,
    decision: 'What the start of a program takes at least',
  },
  {
    suite: 'peers',
    row: /^posix$/,
    against: /^svmq$/,
    decision: 'Peers that are quicker than they were',
  },
];

/**
 * @param {string} suite
 * @param {string} row
 * @param {string} against
 * @returns {string | undefined} the heading of the decision that excuses this row from its target
 */
export function excuseOf(suite, row, against) {
  return EXCUSED.find(
    (each) => each.suite === suite && each.row.test(row) && each.against.test(against),
  )?.decision;
}

/**
 * What is wrong with the table: an excuse of no row that has a target, or of a decision that is not there.
 *
 * @param {readonly { suite: string, row: string, against: string }[]} aims - all rows that have targets
 * @param {string} decisions - the text of docs/decisions.md
 * @returns {string[]}
 */
export function faultsOfExcuses(aims, decisions) {
  const headings = new Set([...decisions.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading));
  return EXCUSED.flatMap(({ suite, row, against, decision }) => {
    const name = `excused: ${suite} ${row.source}, ${against.source}`;
    const faults = [];
    if (!headings.has(decision)) faults.push(`${name}: no decision "${decision}"`);
    if (!aims.some((aim) => aim.suite === suite && row.test(aim.row) && against.test(aim.against)))
      faults.push(`${name}: no row with a target`);
    return faults;
  });
}
