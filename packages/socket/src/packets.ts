import { AGAIN, bufferOf } from '@octoipc/core/kit';

import { BATCH, STRIDE, type SocketBinding } from './binding.js';
import { MSG_CTRUNC, MSG_TRUNC } from './constants.js';
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

/** What is longer goes through the spill, and gets memory of its own. */
const ROOM = 64 * 1024;

let slab: Buffer | undefined;
let memory: ArrayBufferLike;
let used = 0;
/** Of the last receive: what was told of it, and how much room each packet had. */
let numbers: Int32Array = new Int32Array(0);
let names: Uint8Array = new Uint8Array(0);
let fds: Int32Array = new Int32Array(0);
let room = 0;

/**
 * recvmsg(2), into a slab of which just the parts that were filled are handed out.
 *
 * @param max - no more packets than so many
 * @param maxBytes - of each, no more bytes than so many
 * @param maxFds - with each, no more descriptors than so many
 * @param withNames - whether addresses are wanted
 * @param flags - of the call
 * @returns how many came, of which the functions below tell until the next call; or -errno
 */
export function receiveRaw(
  { binding, fd }: SocketEnd,
  max: number,
  maxBytes: number,
  maxFds: number,
  withNames: boolean,
  flags: number,
): number {
  ({ numbers, names, fds } = binding.known);
  room = Math.min(maxBytes, ROOM);
  slabFor(binding);
  if (maxBytes > room) spillFor(binding, maxBytes - room);
  numbers[0] = fd;
  numbers[1] = used;
  numbers[2] = room;
  numbers[3] = Math.min(max, BATCH);
  numbers[4] = maxBytes - room;
  numbers[5] = maxFds;
  numbers[6] = withNames ? ADDRESS_ROOM : 0;
  numbers[7] = flags;
  const count = binding.receiveMessages();
  return count === 0 ? AGAIN : count;
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
  used = start + length;
  return bufferOf(memory, start, length);
}

/** Where a packet came from. */
export function senderAt(index: number): SocketAddress | null {
  const length = numbers[STRIDE * index + 4]!;
  return length === 0 ? null : addressAt(ADDRESS_ROOM * index, length);
}

/** Who sent a packet. */
export function peerAt(index: number): Peer | null {
  const at = STRIDE * index + 5;
  const pid = numbers[at]!;
  return pid < 0 ? null : peerOf(pid, numbers[at + 1]!, numbers[at + 2]!);
}

/** A packet with all that came with it. */
export function packetAt(index: number): Packet {
  const at = STRIDE * index;
  const length = numbers[at + 1]!;
  const count = numbers[at + 8]!;
  return {
    data: length <= room ? dataAt(index) : longDataAt(index),
    length: numbers[at + 2]!,
    flags: numbers[at + 3]!,
    from: senderAt(index),
    peer: peerAt(index),
    fds: count === 0 ? NO_FDS : Array.from(fds.subarray(0, count)),
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

/** The bytes of a packet whose end is in the spill. */
function longDataAt(index: number): Buffer {
  const start = numbers[STRIDE * index]!;
  const length = numbers[STRIDE * index + 1]!;
  used = start + room;
  return Buffer.concat([slab!.subarray(start, start + room), spill!.subarray(0, length - room)]);
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
  // It is empty if a caller has transferred the memory of a message away.
  if (slab === undefined || SLAB_SIZE - used < room || slab.length === 0) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    memory = slab.buffer;
    used = 0;
  }
  const { known } = native;
  if (known.memory === slab) return;
  native.receiveInto(slab);
  known.memory = slab;
}

let spill: Buffer | undefined;

/** Memory for the end of long packets; untouched, it costs nothing. */
function spillFor(native: SocketBinding, size: number): void {
  if (spill === undefined || spill.length < size) spill = Buffer.allocUnsafeSlow(size);
  const { known } = native;
  if (known.spill === spill) return;
  native.spillInto(spill);
  known.spill = spill;
}
