import { KnownMemory, loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** As many messages as one native call hands over. */
export const BATCH = 1024;

/**
 * The native functions of this package; a negative result is -errno. Those that send "again" send the
 * memory that was sent last. Those that receive do so into the memory of `receiveInto`, and leave three
 * numbers for each message in the array of `tellIn`: where its bytes are, how many, and its priority or
 * type.
 */
export interface MqBinding extends DescriptorBinding {
  receiveInto(memory: Uint8Array): number;
  tellIn(found: Float64Array): number;
  /** What it was told of; all copies of this module in a thread have one binding. */
  known: {
    memory: Uint8Array | undefined;
    readonly found: Float64Array;
    readonly sent: KnownMemory;
  };
  posixOpen(name: string, access: number): number;
  posixCreate(
    name: string,
    access: number,
    mode: number,
    maxMessages: number,
    maxMessageSize: number,
  ): number;
  posixUnlink(name: string): number;
  posixSend(fd: number, data: Uint8Array, priority: number): number;
  posixSendAgain(fd: number, priority: number): number;
  posixReceive(fd: number, offset: number, room: number, max: number): number;
  /** Both sleep in the call: the open file description must be in blocking mode. */
  posixSendSleeping(fd: number, data: Uint8Array, priority: number): number;
  posixSendSleepingAgain(fd: number, priority: number): number;
  posixReceiveSleeping(fd: number, offset: number, room: number): number;
  /** Flags, maximum of messages, of bytes in each, messages now. */
  posixAttributes(fd: number, out: Float64Array): number;
  posixSetNonblocking(fd: number, nonblocking: boolean): number;
  accessMode(fd: number): number;
  /** 1 in the main thread, which may sleep for ever; a worker must notice that it is terminated. */
  readonly mainThread: number;
  messageBytesLimit(): number;
  descriptorLimit(): number;

  notifySocket(): number;
  notifyRegister(queue: number, socket: number): number;
  notifyUnregister(queue: number): number;
  /** 1 a message came, 2 the registration was removed. */
  notifyRead(socket: number): number;

  readonly noError: number;
  readonly except: number;
  readonly copy: number;
  sysvGet(key: number, create: boolean, exclusive: boolean, mode: number): number;
  sysvSend(id: number, data: Uint8Array, type: number): number;
  sysvSendAgain(id: number, type: number): number;
  sysvReceive(
    id: number,
    offset: number,
    room: number,
    max: number,
    type: number,
    flags: number,
  ): number;
  /** Key, mode, uid, gid, cuid, cgid, bytes, messages, maxBytes, pids, times: as in sysv-status.ts. */
  sysvStat(id: number, out: Float64Array): number;
  sysvSet(id: number, mode: number, uid: number, gid: number, maxBytes: number): number;
  sysvRemove(id: number): number;
  ftok(path: string, project: number, key: Int32Array): number;
  /** Both: 0 milliseconds is for ever. */
  sysvSendFor(id: number, data: Uint8Array, type: number, milliseconds: number): number;
  sysvSendForAgain(id: number, type: number, milliseconds: number): number;
  sysvReceiveFor(
    id: number,
    offset: number,
    room: number,
    type: number,
    flags: number,
    milliseconds: number,
  ): number;

  bellOpen(fd: Int32Array): number;
  bellAnswer(index: number, who: Int32Array): number;
  waitOpen(bell: number, who: number): number;
  waitReceive(index: number, id: number, type: number, flags: number): number;
  waitSend(index: number, id: number, data: Uint8Array, type: number): number;
  /** 0 sent, > 0 the type of an empty message that was taken, -E2BIG a message is there, -EAGAIN. */
  waitResult(index: number): number;
  waitStop(index: number): number;
}

let loaded: MqBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): MqBinding {
  if (loaded === undefined) {
    loaded = loadBinding<MqBinding>(import.meta.url, 'mq');
    loaded.known ??= {
      memory: undefined,
      found: new Float64Array(3 * BATCH),
      sent: new KnownMemory(),
    };
    loaded.tellIn(loaded.known.found);
  }
  return loaded;
}
