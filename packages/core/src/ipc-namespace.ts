import { readlinkSync } from 'node:fs';

/** The IPC namespace, without which no name and no id means anything. */
export function ipcNamespace(): string {
  return readlinkSync('/proc/self/ns/ipc');
}
