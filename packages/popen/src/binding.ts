import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface PopenBinding extends DescriptorBinding {
  /** Strings are NUL-terminated, one after the other; `stdio` and `limits` are triples. */
  spawn(
    candidates: Uint8Array,
    argv: Uint8Array,
    env: Uint8Array,
    cwd: Uint8Array,
    stdio: Int32Array,
    limits: Float64Array,
    nice: number,
    flags: number,
    result: Int32Array,
  ): number;
  pipe(ends: Int32Array): number;
  wait(pidfd: number, ending: Float64Array, keep: boolean): number;
  signal(pidfd: number, signal: number): number;
  signalGroup(pidfd: number, signal: number): number;
  abandon(pidfd: number): number;
  disinherit(pidfd: number): number;
  openProcess(pid: number): number;
  pollAll(fds: Int32Array, milliseconds: number): number;
}

let loaded: PopenBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): PopenBinding {
  loaded ??= loadBinding<PopenBinding>(`${__dirname}/../package.json`, 'popen');
  return loaded;
}
