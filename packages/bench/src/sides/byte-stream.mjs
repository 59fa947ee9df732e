// @ts-check
// What programs do with the two ends that they have of a byte stream: pipe.mjs, fifo.mjs EXERCISE SIZE.
import { pipeReceiver, pipeSender } from '@octoipc/pipe';

import {
  dialogue,
  dialogueSync,
  itself,
  readEach,
  readIterated,
  readStream,
  receiveBatches,
  receiveIterated,
  sendAwaited,
  sendBatches,
  sendEach,
  sendWindows,
  takeWhole,
  takeWholeSync,
  writeStream,
} from './flows.mjs';
import { cutIterated, cutTogether, gathered } from './frames-floor.mjs';
import { driveFlow, driveTrips, memoryOf, receiveFlow, receiveTrips } from './side.mjs';

const [exercise = '', sizeText] = process.argv.slice(2);
const size = Number(sizeText);

/** @typedef {import('@octoipc/pipe').PipeWriter} Writer */
/** @typedef {import('@octoipc/pipe').PipeReader} Reader */

/**
 * @typedef {object} Ends
 * @property {Writer} writer - to the other process
 * @property {Reader} reader - from the other process
 */

const sendSync = (/** @type {Writer} */ writer) =>
  sendEach(size, (message) => writer.writeSync(message));

/** Spins until all is written. @param {Writer} writer */
const putting = (writer) => (/** @type {Buffer} */ message) => {
  for (let at = 0; at < size;) at += writer.tryWrite(at === 0 ? message : message.subarray(at));
};

/** Spins until there is something. @param {Reader} reader @param {{ into: Buffer }} target */
function taking(reader, target) {
  for (;;) {
    const chunk = reader.tryRead(target);
    if (chunk !== undefined) return chunk;
  }
}

/** @type {Record<string, { send(writer: Writer): (count: number) => unknown, receive(reader: Reader): (count: number) => unknown }>} */
const flows = {
  sync: {
    send: sendSync,
    receive: (reader) => {
      const target = { into: memoryOf(size) };
      return readEach(size, () => reader.readSync(target));
    },
  },
  'sync-owned': {
    send: sendSync,
    receive: (reader) => {
      const target = { maxBytes: size };
      return readEach(size, () => reader.readSync(target));
    },
  },
  // Both spin, while there is no room or nothing there.
  try: {
    send: (writer) => sendEach(size, putting(writer)),
    receive: (reader) => {
      const target = { into: memoryOf(size) };
      return readEach(size, () => taking(reader, target));
    },
  },
  iterate: {
    send: (writer) => sendAwaited(size, (message) => writer.write(message)),
    receive: (reader) => readIterated(size, reader),
  },
  streams: {
    send: (writer) => writeStream(size, writer.toWritable()),
    receive: (reader) => readStream(size, reader.toReadable()),
  },
  frames: {
    send: (writer) => sendWindows(size, pipeSender(writer)),
    receive: (reader) => receiveIterated(pipeReceiver(reader), itself),
  },
  many: {
    send: (writer) => sendBatches(size, pipeSender(writer)),
    receive: (reader) => receiveBatches(pipeReceiver(reader)),
  },
  'frames-floor': {
    send: (writer) => gathered(size, writer),
    receive: (reader) => receiveIterated(cutIterated(reader), itself),
  },
  'many-floor': {
    send: (writer) => gathered(size, writer),
    receive: (reader) => receiveBatches(cutTogether(reader)),
  },
};

/** @type {Record<string, (ends: Ends) => ReturnType<typeof dialogue | typeof dialogueSync>>} */
const trips = {
  'roundtrip-sync': ({ writer, reader }) =>
    dialogueSync(
      size,
      (message) => writer.writeSync(message),
      takeWholeSync(size, (target) => reader.readSync(target)),
    ),
  'roundtrip-try': ({ writer, reader }) =>
    dialogueSync(
      size,
      putting(writer),
      takeWholeSync(size, (target) => taking(reader, target)),
    ),
  'roundtrip-awaited': ({ writer, reader }) =>
    dialogue(
      size,
      (message) => writer.write(message),
      takeWhole(size, (target) => reader.read(target)),
    ),
  'roundtrip-messages': ({ writer, reader }) => {
    const sender = pipeSender(writer);
    const receiver = pipeReceiver(reader);
    return dialogue(
      size,
      (message) => sender.send(message),
      () => receiver.receive(),
    );
  },
};

/**
 * What an exercise does not use must not be collected, and so closed, meanwhile.
 *
 * @type {unknown[]}
 */
const kept = [];

/**
 * @param {import('node:child_process').ChildProcess} peer
 * @param {Ends} ends
 */
export function driveStream(peer, ends) {
  kept.push(ends);
  const flow = flows[exercise];
  if (flow !== undefined) return driveFlow(peer, flow.send(ends.writer));
  const trip = trips[exercise];
  if (trip !== undefined) return driveTrips(peer, trip(ends).trip);
  throw new Error(`no exercise ${exercise}`);
}

/** @param {Ends} ends */
export function answerStream(ends) {
  kept.push(ends);
  const flow = flows[exercise];
  if (flow !== undefined) receiveFlow(flow.receive(ends.reader));
  else receiveTrips(/** @type {any} */ (trips[exercise])(ends).echo);
}
