import { spawnSync } from 'node:child_process';

/** The arguments of setpriv(1) that make a program another user's, without privileges. */
export function asUser(uid: number): string[] {
  return [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all'];
}

/**
 * Why no program can be run as another user here; undefined where one can.
 *
 * @param uid - the user's number
 * @param file - what he has to be able to read: in a clone below a private folder he cannot
 */
export function whyNoStranger(uid: number, file: string): string | undefined {
  const read = `require('fs').readFileSync(${JSON.stringify(file)})`;
  const { error, status } = spawnSync('setpriv', [...asUser(uid), process.execPath, '-e', read]);
  if (error !== undefined) return 'setpriv is not installed';
  return status === 0 ? undefined : 'this user may not become another that can read these files';
}

/** Does something with the rights of another user, who need not be able to read these files; only root can. */
export function asNobody<T>(what: () => T): T {
  process.seteuid!(65_533);
  try {
    return what();
  } finally {
    process.seteuid!(0);
  }
}
