import { AGAIN, bufferOf } from '@octoipc/core/kit';

import { SCM_MAX_FD } from './constants.js';
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

/** As many packets are handed over in one native call. */
export const BATCH = 64;

/** Numbers a packet, in the order of `Found` in transfer.cc. */
const STRIDE = 10;

const NONE = new Uint8Array(0);
const numbers = new Int32Array(STRIDE * BATCH);
const names = new Uint8Array(ADDRESS_ROOM * BATCH);
const one: Int32Array = new Int32Array(SCM_MAX_FD);
const fdRooms = new Map<number, Int32Array>([[SCM_MAX_FD, one]]);

let slab: Buffer | undefined;
let used = 0;
let spill: Buffer | undefined;

/**
 * recvmsg(2), into a slab of which just the parts that were filled are handed out.
 *
 * @returns the packets, at least one, or -errno
 */
export function receivePackets(end: SocketEnd, request: PacketRequest): Packet[] | number {
  const { maxBytes, flags } = request;
  const room = Math.min(maxBytes, ROOM);
  const memory = slabFor(room);
  const max = Math.min(request.max, BATCH);
  const count = end.binding.receiveMessages(
    end.fd,
    memory,
    used,
    room,
    max,
    maxBytes > room ? spillFor(maxBytes - room) : NONE,
    request.names ? roomForNames(max) : NONE,
    fdRoom(request.maxFds),
    numbers,
    flags,
  );
  if (count <= 0) return count === 0 ? AGAIN : count;
  const packets: Packet[] = [];
  for (let i = 0; i < count; i++) packets.push(packetAt(i, memory, room));
  return packets;
}

function packetAt(index: number, memory: Buffer, room: number): Packet {
  const at = STRIDE * index;
  const start = numbers[at]!;
  const length = numbers[at + 1]!;
  const nameLength = numbers[at + 4]!;
  const fds = numbers[at + 8]!;
  used = start + Math.min(length, room);
  return {
    data:
      length <= room
        ? bufferOf(memory.buffer, start, length)
        : Buffer.concat([memory.subarray(start, start + room), spill!.subarray(0, length - room)]),
    length: numbers[at + 2]!,
    flags: numbers[at + 3]!,
    from: nameLength === 0 ? null : addressAt(ADDRESS_ROOM * index, nameLength),
    peer:
      numbers[at + 5]! < 0 ? null : peerOf(numbers[at + 5]!, numbers[at + 6]!, numbers[at + 7]!),
    fds: fds === 0 ? NO_FDS : Array.from(lastFds.subarray(0, fds)),
    dropped: numbers[at + 9]!,
  };
}

const oneName = names.subarray(0, ADDRESS_ROOM);

function roomForNames(max: number): Uint8Array {
  return max === 1 ? oneName : names.subarray(0, ADDRESS_ROOM * max);
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
let lastFds = one;

function fdRoom(maxFds: number): Int32Array {
  let room = fdRooms.get(maxFds);
  if (room === undefined) {
    room = one.subarray(0, maxFds);
    fdRooms.set(maxFds, room);
  }
  lastFds = room;
  return room;
}

/** A slab with so much room behind what is used. */
function slabFor(room: number): Buffer {
  // It is empty if a caller has transferred the memory of a message away.
  if (slab === undefined || SLAB_SIZE - used < room || slab.length === 0) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    used = 0;
  }
  return slab;
}

/** Memory for the end of long packets; untouched, it costs nothing. */
function spillFor(size: number): Buffer {
  if (spill === undefined || spill.length < size) spill = Buffer.allocUnsafeSlow(size);
  return spill.length === size ? spill : spill.subarray(0, size);
}
