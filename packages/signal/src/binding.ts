import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. Sets come in two words. */
export interface SignalBinding extends DescriptorBinding {
  kill(pid: number, signal: number): number;
  killGroup(pgid: number, signal: number): number;
  killThread(tgid: number, tid: number, signal: number): number;
  queue(pid: number, signal: number, low: number, high: number): number;
  queueToThread(tgid: number, tid: number, signal: number, low: number, high: number): number;
  threadId(): number;
  openProcess(pid: number): number;
  sendByDescriptor(
    pidfd: number,
    signal: number,
    withValue: boolean,
    low: number,
    high: number,
    group: boolean,
  ): number;
  alive(pidfd: number): number;
  ending(pidfd: number, ending: Int32Array): number;
  endingOfReaped(pidfd: number, ending: Int32Array): number;
  subscribe(): number;
  unsubscribe(index: number): number;
  signalsFd(index: number): number;
  bellFd(index: number): number;
  configure(index: number, sets: Int32Array): number;
  take(index: number, records: Int32Array, max: number): number;
  told(index: number, ticket: number): number;
  sleep(index: number, milliseconds: number): number;
  block(low: number, high: number): number;
  unblock(low: number, high: number): number;
  blocked(set: Int32Array): number;
  pending(set: Int32Array): number;
  ignore(signal: number): number;
  restoreDefault(signal: number): number;
}

let loaded: SignalBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): SignalBinding {
  loaded ??= loadBinding<SignalBinding>(import.meta.url, 'signal');
  return loaded;
}
