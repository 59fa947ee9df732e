// One at a time: two programs that install or build in the same tree would get in each other's way.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const PATIENCE = 10 * 60_000;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch ({ code }) {
    return code === 'EPERM';
  }
}

/** Whether the file is ours now. One that a dead process has left behind is removed. */
function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  let owner = '';
  try {
    owner = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  // An empty file was made a moment ago: its owner is about to write into it.
  if (owner !== '' && !isAlive(Number(owner))) rmSync(file, { force: true });
  return false;
}

/**
 * Runs an action while no other process does so under the same file.
 *
 * @param file - exists while somebody is at work
 * @param action - what is to be done alone
 * @param waiting - called once if somebody else is at work
 */
export async function alone(file, action, waiting) {
  const start = performance.now();
  let told = false;
  while (!take(file)) {
    const waited = performance.now() - start;
    if (waited > PATIENCE)
      throw new Error(`${file} is still there: remove it if nothing else runs`);
    if (waited > 1000 && !told) {
      told = true;
      waiting();
    }
    await setTimeout(100);
  }
  const drop = () => rmSync(file, { force: true });
  process.once('exit', drop);
  try {
    return await action();
  } finally {
    process.off('exit', drop);
    drop();
  }
}
