import { KnownMemory, loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** As many messages as one native call hands over. */
export const BATCH = 1024;

/** Numbers that {@link MqBinding} leaves of each message. */
export const STRIDE = 3;

/**
 * The native functions of this package; a negative result is -errno. Those that send and receive are told
 * by numbers in the array of `tellIn`, each at the index that it has in their comment. Those that send
 * "again" send the memory that was sent last. Those that receive do so into the memory of `receiveInto`,
 * and leave three numbers for each message in the same array: where its bytes are, how many, and its
 * priority or type.
 */
export interface MqBinding extends DescriptorBinding {
  receiveInto(memory: Uint8Array): number;
  tellIn(found: Float64Array): number;
  /** What it was told of; all copies of this module in a thread have one binding. */
  known: {
    memory: Uint8Array | undefined;
    length: number;
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
  /** Both: fd, priority, 1 to sleep: the open file description must be in blocking mode then. */
  posixSend(data: Uint8Array): number;
  posixSendAgain(): number;
  /** Fd, offset, room for each, how many at most, 1 to sleep. */
  posixReceive(): number;
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
  /** Both: id, type, milliseconds; 0 is for ever, -1 without waiting. */
  sysvSend(data: Uint8Array): number;
  sysvSendAgain(): number;
  /** Id, offset, room for each, how many at most, type, flags, milliseconds as above. */
  sysvReceive(): number;
  /** The same for one message, without its type, at the beginning of the memory. */
  sysvReceiveBare(): number;
  /** Key, mode, uid, gid, cuid, cgid, bytes, messages, maxBytes, pids, times: as in sysv-status.ts. */
  sysvStat(id: number, out: Float64Array): number;
  sysvSet(id: number, mode: number, uid: number, gid: number, maxBytes: number): number;
  sysvRemove(id: number): number;
  ftok(path: string, project: number, key: Int32Array): number;

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
    const native = loadBinding<MqBinding>(import.meta.url, 'mq');
    native.known ??= {
      memory: undefined,
      length: 0,
      found: new Float64Array(STRIDE * BATCH),
      sent: new KnownMemory(),
    };
    native.tellIn(native.known.found);
    // What Node-API has made is a dictionary to V8, in which each call would look its function up.
    loaded = { ...native };
  }
  return loaded;
}
