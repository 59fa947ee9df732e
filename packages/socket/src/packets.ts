import { readFileSync } from 'node:fs';

import { AGAIN, bufferOf, check, untransferable } from '@octoipc/core/kit';

import { BATCH, STRIDE, type SocketBinding } from './binding.js';
import { AF_UNIX, MSG_CTRUNC, MSG_TRUNC, SCM_MAX_FD } from './constants.js';
import type { SocketEnd } from './end.js';
import { peerOf, type Peer } from './peer.js';
import { ADDRESS_ROOM, decodeAddress, type SocketAddress } from './sockaddr.js';

/** One message as the kernel keeps it: of a seqpacket or datagram socket, or a part of a stream. */
export interface Packet {
  readonly data: Buffer;
  /** How many bytes it had. */
  readonly length: number;
  readonly flags: number;
  readonly from: SocketAddress | null;
  readonly peer: Peer | null;
  /** Descriptors that came with it; the binding owns them until somebody takes them. */
  readonly fds: readonly number[];
  /** How many descriptors came beyond those that were wanted, and are closed. */
  readonly dropped: number;
}

/** What a receive wants. */
export interface PacketRequest {
  /** No more packets than so many. */
  readonly max: number;
  /** Of each, no more bytes than so many. */
  readonly maxBytes: number;
  /** With each, no more descriptors than so many. */
  readonly maxFds: number;
  readonly names: boolean;
  readonly flags: number;
}

const SLAB_SIZE = 256 * 1024;

/** What is longer than this gets memory of its own. */
const ROOM = 64 * 1024;

/** Of several packets each has as much room as those before needed, and no less than this. */
const LEAST_ROOM = 256;

/**
 * After so many packets without descriptors several are received at once: they bring all of theirs, and a
 * process has only so many. How many it has left decides how many packets (receive.cc).
 */
const PLAIN_ENOUGH = 16;

/** After so many calls in a row that found one packet the next ones ask for one. */
const LONELY = 4;

/** As many. */
const ONE_BY_ONE = 16;

/** No packet is longer: the kernel keeps one in memory that is no more in one piece. */
const LONGEST = 0x3fffffff;

/** Address space for the ends of packets that are received at once. */
const MOST_OF_ENDS = 256 * 1024 * 1024;

let slab: Buffer | undefined;
let memory: ArrayBufferLike;
let used = 0;
/** Of the last receive: what was told of it, and how much room each packet had. */
let numbers: Int32Array = new Int32Array(0);
let names: Uint8Array = new Uint8Array(0);
let fds: Int32Array = new Int32Array(0);
let room = 0;
let latest: SocketBinding;

/**
 * recvmsg(2), or recvmmsg(2) for several, into a slab of which just the parts that were filled are handed
 * out.
 *
 * @param max - no more packets than so many
 * @param maxBytes - of each, no more bytes than so many
 * @param maxFds - with each, no more descriptors than so many
 * @param withNames - whether addresses are wanted
 * @param flags - of the call
 * @returns how many came, of which the functions below tell until the next call; or -errno
 */
export function receiveRaw(
  end: SocketEnd,
  max: number,
  maxBytes: number,
  maxFds: number,
  withNames: boolean,
  flags: number,
): number {
  const { binding } = end;
  ({ numbers, names, fds } = binding.known);
  const several = max > 1 && end.plainInARow >= PLAIN_ENOUGH && end.lonely < LONELY;
  room = Math.min(maxBytes, several ? end.usualRoom : ROOM);
  slabFor(binding);
  const beyond = Math.min(maxBytes, LONGEST) - room;
  numbers[0] = end.fd;
  numbers[1] = used;
  numbers[2] = room;
  numbers[3] = several
    ? mostOf(Math.min(max, BATCH), (SLAB_SIZE - used) / room, MOST_OF_ENDS / beyond)
    : 1;
  numbers[4] = beyond;
  numbers[5] = maxFds;
  numbers[6] = withNames ? ADDRESS_ROOM : 0;
  numbers[7] = flags;
  numbers[8] = end.domain === AF_UNIX ? 1 : 0;
  const count = binding.receiveMessages();
  latest = binding;
  if (max > 1 && count > 0) learn(end, count, several);
  return count === 0 ? AGAIN : count;
}

function mostOf(packets: number, rooms: number, ends: number): number {
  return Math.max(1, Math.floor(Math.min(packets, rooms, ends)));
}

/** What packets that come are like; room is counted in whole cache lines. */
function learn(end: SocketEnd, count: number, several: boolean): void {
  let longest = LEAST_ROOM;
  let brought = 0;
  for (let i = 0; i < count; i++) {
    const at = STRIDE * i;
    longest = Math.max(longest, numbers[at + 1]!);
    brought += numbers[at + 8]! + numbers[at + 9]!;
  }
  end.usualRoom = Math.min(ROOM, (longest + 63) & -64);
  end.plainInARow = brought > 0 ? 0 : end.plainInARow + count;
  if (several) end.lonely = count > 1 ? 0 : end.lonely + 1;
  else if (end.lonely >= LONELY && ++end.lonely > LONELY + ONE_BY_ONE) end.lonely = LONELY - 1;
}

/**
 * Whether a packet has bytes, all of them in one place, and no descriptors came: then {@link dataAt} is all
 * that there is to it, beside who sent it.
 */
export function isPlain(index: number): boolean {
  const at = STRIDE * index;
  const length = numbers[at + 1]!;
  return (
    length > 0 &&
    length <= room &&
    length === numbers[at + 2] &&
    (numbers[at + 3]! & (MSG_TRUNC | MSG_CTRUNC)) === 0 &&
    numbers[at + 8] === 0 &&
    numbers[at + 9] === 0
  );
}

/** The bytes of a plain packet. */
export function dataAt(index: number): Buffer {
  const start = numbers[STRIDE * index]!;
  const length = numbers[STRIDE * index + 1]!;
  // Of a batch the first may be looked at last.
  used = Math.max(used, start + length);
  return bufferOf(memory, start, length);
}

/** Where a packet came from. */
export function senderAt(index: number): SocketAddress | null {
  const length = numbers[STRIDE * index + 4]!;
  return length === 0 ? null : addressAt(ADDRESS_ROOM * index, length);
}

let overflow: number | undefined;

/** What nearly every system has. */
const USUAL_OVERFLOW = 65_534;

/** The user of what was sent before anybody asked for credentials. */
function overflowUid(): number {
  try {
    return (overflow ??= Number(readFileSync('/proc/sys/kernel/overflowuid', 'latin1')));
  } catch {
    // No descriptor is left, or there is no /proc: what was received must not be lost for that.
    return USUAL_OVERFLOW;
  }
}

/** Who sent a packet. */
export function peerAt(index: number): Peer | null {
  const at = STRIDE * index + 5;
  const pid = numbers[at]!;
  const nobody = pid === 0 ? overflowUid() : undefined;
  return peerOf(pid, numbers[at + 1]!, numbers[at + 2]!, nobody);
}

/** A packet with all that came with it. */
export function packetAt(index: number): Packet {
  const at = STRIDE * index;
  const length = numbers[at + 1]!;
  const count = numbers[at + 8]!;
  return {
    data: length <= room ? dataAt(index) : longDataAt(index, length),
    length: numbers[at + 2]!,
    flags: numbers[at + 3]!,
    from: senderAt(index),
    peer: peerAt(index),
    fds:
      count === 0
        ? NO_FDS
        : Array.from(fds.subarray(SCM_MAX_FD * index, SCM_MAX_FD * index + count)),
    dropped: numbers[at + 9]!,
  };
}

/**
 * Packets with all that came with them.
 *
 * @returns the packets, at least one, or -errno
 */
export function receivePackets(end: SocketEnd, request: PacketRequest): Packet[] | number {
  const { max, maxBytes, maxFds, flags } = request;
  const count = receiveRaw(end, max, maxBytes, maxFds, request.names, flags);
  if (count < 0) return count;
  const packets: Packet[] = [];
  for (let i = 0; i < count; i++) packets.push(packetAt(i));
  return packets;
}

/** The bytes of a packet that had not enough room. */
function longDataAt(index: number, length: number): Buffer {
  const start = numbers[STRIDE * index]!;
  used = Math.max(used, start + room);
  const data = Buffer.allocUnsafeSlow(length);
  data.set(slab!.subarray(start, start + room));
  check(latest.takeEnd(index, data, room), 'recvmsg');
  return data;
}

const latestBytes = new Uint8Array(ADDRESS_ROOM);
let latestLength = 0;
let latestAddress: SocketAddress | null = null;

/** Decoded once for all datagrams of one sender that come one after the other. */
function addressAt(start: number, length: number): SocketAddress | null {
  const end = Math.min(length, ADDRESS_ROOM);
  let same = length === latestLength;
  for (let i = 0; same && i < end; i++) same = names[start + i] === latestBytes[i];
  if (!same) {
    latestBytes.set(names.subarray(start, start + ADDRESS_ROOM));
    latestLength = length;
    latestAddress = decodeAddress(latestBytes, length);
  }
  return latestAddress === null ? null : { ...latestAddress };
}

const NO_FDS: readonly number[] = [];

/** Has the binding receive into a slab with so much room behind what is used. */
function slabFor(native: SocketBinding): void {
  // It is empty if somebody has detached it all the same.
  if (slab === undefined || SLAB_SIZE - used < room || slab.length === 0) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    memory = slab.buffer;
    used = 0;
    untransferable(memory);
  }
  const { known } = native;
  if (known.memory === slab) return;
  native.receiveInto(slab);
  known.memory = slab;
}
