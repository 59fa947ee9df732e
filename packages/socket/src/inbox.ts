import { IpcError, AGAIN, BLOCKED, errorOf, POLLIN } from '@octoipc/core/kit';

import { MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, SCM_MAX_FD } from './constants.js';
import type { SocketEnd } from './end.js';
import { checkFdsWhole, closeFds, takeFds, withFds, type FdMessage } from './fds.js';
import { dataAt, isPlain, packetAt, receiveRaw, type Packet } from './packets.js';

/** What one take wants. */
interface Take {
  readonly maxBytes: number;
  /** Whether the end of a longer packet may be dropped; else it is `EMSGSIZE`. */
  readonly truncate: boolean;
  /** Whether the call may sleep in the kernel. */
  readonly sleeping?: boolean;
  /** As many packets as may be taken out of the kernel at once. @default 1 */
  readonly ahead?: number;
}

/** poll(2): the other side writes no more. */
const POLLRDHUP = 0x2000;

const scratch = new Uint8Array(1);

/** Never changed. */
const NONE: (Packet | Buffer)[] = [];

/** Packets in the order of their coming, those before `at` are taken. Never refers to the inbox. */
interface Line {
  /** Those that are nothing but bytes are here as that. */
  packets: (Packet | Buffer)[];
  at: number;
}

/** Descriptors that came with packets which nobody took, and whose connection nobody closed. */
const abandoned = new FinalizationRegistry<Line>(closeRest);

function closeRest(line: Line): void {
  for (const packet of line.packets.slice(line.at)) {
    if (!(packet instanceof Uint8Array)) closeFds(packet.fds);
  }
  line.packets = NONE;
  line.at = 0;
}

/**
 * Packets that were taken out of the kernel and wait for somebody who wants them.
 *
 * Lifetime: as long as its connection; the descriptors of packets that nobody took are closed with it, or
 * when both are collected.
 */
export class PacketInbox {
  readonly #end: SocketEnd;
  readonly #line: Line = { packets: [], at: 0 };
  #watched = false;

  constructor(end: SocketEnd) {
    this.#end = end;
  }

  /** Whether packets wait here, which nobody who gets the descriptor would see. */
  get isEmpty(): boolean {
    return this.#line.at >= this.#line.packets.length;
  }

  /** Bytes of the packets that wait here. */
  get available(): number {
    const { packets, at } = this.#line;
    let sum = 0;
    for (let i = at; i < packets.length; i++) sum += packets[i]!.length;
    return sum;
  }

  /** The next packet if it waits here and is nothing but bytes. */
  takeReady(): Buffer | undefined {
    const line = this.#line;
    const packet = line.packets[line.at];
    if (!(packet instanceof Uint8Array)) return undefined;
    this.#step();
    return packet;
  }

  /** The data of the next packet, whose descriptors are closed; null at the end. */
  take(wanted: Take): Buffer | null | typeof BLOCKED {
    const { maxBytes, truncate, sleeping = false, ahead = 1 } = wanted;
    const packet = this.#next(maxBytes, sleeping, ahead);
    if (packet === null || packet === BLOCKED) return packet;
    if (packet instanceof Uint8Array) return this.#cut(packet, packet.length, maxBytes, truncate);
    closeFds(packet.fds);
    return this.#cut(packet.data, packet.length, maxBytes, truncate);
  }

  /** The next packet with its descriptors; null at the end. */
  takeWithFds(wanted: Take, maxFds: number): FdMessage | null | typeof BLOCKED {
    const { maxBytes, truncate, sleeping = false, ahead = 1 } = wanted;
    const packet = this.#next(maxBytes, sleeping, ahead);
    if (packet === null || packet === BLOCKED) return packet;
    if (packet instanceof Uint8Array) {
      return { data: this.#cut(packet, packet.length, maxBytes, truncate), fds: [] };
    }
    checkFdsWhole(packet.fds.length > maxFds ? withFds(packet, maxFds) : packet, this.#end);
    if (packet.length > maxBytes && !truncate) closeFds(packet.fds);
    const data = this.#cut(packet.data, packet.length, maxBytes, truncate);
    return { data, fds: takeFds(packet.fds) };
  }

  clear(): void {
    closeRest(this.#line);
  }

  #next(
    maxBytes: number,
    sleeping: boolean,
    ahead: number,
  ): Packet | Buffer | null | typeof BLOCKED {
    const line = this.#line;
    const waiting = line.packets[line.at];
    if (waiting !== undefined) {
      this.#step();
      return waiting;
    }
    const flags = MSG_TRUNC | (sleeping && this.#end.sleeps ? 0 : MSG_DONTWAIT);
    const count = receiveRaw(this.#end, ahead, maxBytes, SCM_MAX_FD, false, flags);
    if (count < 0) {
      if (count === AGAIN) return BLOCKED;
      throw errorOf(count, 'recvmsg', { target: this.#end.target });
    }
    if (count === 1 && isPlain(0)) return dataAt(0);
    const found: (Packet | Buffer)[] = [];
    for (let i = 0; i < count; i++) found.push(isPlain(i) ? dataAt(i) : packetAt(i));
    if (isNothing(found.at(-1)!) && this.isEnd()) {
      // The end is told as often as it is asked for, and found again by whoever asks after the last packet.
      while (found.length > 0 && isNothing(found.at(-1)!)) found.pop();
      if (found.length === 0) return null;
    }
    line.packets = found;
    line.at = 0;
    this.#step();
    if (!this.#watched && found.length > 1 && found.some(hasFds)) {
      this.#watched = true;
      abandoned.register(this, line);
    }
    return found[0]!;
  }

  /**
   * Whether no bytes mean the end, or a packet without bytes: after the end nothing more comes, and the
   * other side writes no more.
   */
  isEnd(): boolean {
    const { binding, fd } = this.#end;
    const events = binding.poll(fd, POLLIN | POLLRDHUP, 0);
    if (events >= 0 && (events & POLLRDHUP) === 0) return false;
    return binding.receive(fd, scratch, 0, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
  }

  /** One was taken; of those that all were nothing is kept. */
  #step(): void {
    const line = this.#line;
    line.at += 1;
    if (line.at < line.packets.length) return;
    line.packets = NONE;
    line.at = 0;
  }

  #cut(data: Buffer, length: number, maxBytes: number, truncate: boolean): Buffer {
    if (length <= maxBytes) return data;
    if (truncate) return data.subarray(0, maxBytes);
    throw new IpcError('EMSGSIZE', {
      ...this.#end.details('recvmsg'),
      hint: `a packet has ${length} bytes, more than is taken (${maxBytes}): it is dropped`,
    });
  }
}

function hasFds(packet: Packet | Buffer): boolean {
  return !(packet instanceof Uint8Array) && packet.fds.length > 0;
}

/** Whether it may be the end: no bytes, and no descriptors. */
function isNothing(packet: Packet | Buffer): boolean {
  return packet.length === 0 && (packet as Packet).fds.length === 0;
}
