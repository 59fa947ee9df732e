import { readdirSync, readFileSync } from 'node:fs';

import type { IpcErrorDetails } from '@octoipc/core';
import { BLOCKED, codeOfErrno, FdHandle, POLLIN } from '@octoipc/core/kit';

import { binding } from './binding.js';

/** A process of a group, by pidfd: told when it has ended, whoever its parent is. */
export class Member extends FdHandle {
  constructor(pidfd: number) {
    super(pidfd, binding());
  }

  /** Resolves when the process has ended. */
  ended(signal: AbortSignal): Promise<void> {
    const { fd } = this;
    const attempt = (): void | typeof BLOCKED => {
      if (binding().poll(fd, POLLIN, 0) === 0) return BLOCKED;
    };
    return this.queue('readable').run(attempt, { signal }, { details: this.describe() });
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'poll' };
  }
}

/** The state letters of processes that have ended and wait for their parent's attention. */
const DEAD = 'ZXx';

/**
 * The processes of a group that still live, its leader left out.
 *
 * @param group - its number, which must be in use
 * @returns handles that the caller closes; undefined where nobody can tell: /proc cannot be read, or
 *   there are too many descriptors
 * @see proc_pid_stat(5)
 */
export function membersOf(group: number): Member[] | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return undefined;
  }
  const members: Member[] = [];
  for (const name of names) {
    const pid = Number(name);
    if (!(pid > 0) || pid === group || !belongs(name, group)) continue;
    const pidfd = binding().openProcess(pid);
    if (pidfd >= 0) {
      members.push(new Member(pidfd));
      continue;
    }
    if (codeOfErrno(pidfd) === 'ESRCH') continue;
    for (const member of members) member.close();
    return undefined;
  }
  return members;
}

function belongs(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything, parentheses too.
    const [state = '', , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3);
    return Number(pgrp) === group && !DEAD.includes(state);
  } catch {
    return false;
  }
}
