// @ts-check
import { spawnWithPipes } from '@octoipc/pipe';

/**
 * Starts this program once more, as the peer, with pipes and a channel for the counts.
 *
 * @template {Record<number, 'read' | 'write'>} P
 * @param {string} file
 * @param {P} pipes
 */
export function spawnPeer(file, pipes) {
  const args = [...process.execArgv, file, ...process.argv.slice(2), 'peer'];
  return spawnWithPipes(process.execPath, args, {
    pipes,
    stdio: ['ignore', 'inherit', 'inherit', 'ignore', 'ignore', 'ipc'],
  });
}
