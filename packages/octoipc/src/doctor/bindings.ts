import * as namespaces from '../namespaces.js';
import type { Finding } from './diagnosis.js';

/** What makes each package load its addon, and does no harm. */
const FIRST_USES: Readonly<Record<string, () => void>> = {
  pipe: () => namespaces.pipe.createPipe().close(),
  fifo: () => void namespaces.fifo.tryOpenWriter('/dev/shm/octoipc-no-such-fifo'),
  mq: () => void namespaces.mq.PosixQueue.limits(),
  sem: () => void namespaces.sem.SysvSemaphoreSet.limits(),
  shm: () => namespaces.shm.SharedMemory.memfd({ size: 1 }).close(),
  signal: () => void namespaces.signal.exists(process.pid),
  socket: () => namespaces.socket.socketPair().forEach((end) => end.close()),
  popen: () => void namespaces.popen.popenSync('true'),
};

/** Whether the addon of each package is there, and loads. */
export function bindingFindings(): Finding[] {
  return Object.entries(FIRST_USES).map(([name, use]): Finding => {
    try {
      use();
    } catch (error) {
      const { code, message, hint } = error as { code?: string; message: string; hint?: string };
      // What a mechanism refuses for a reason of its own shows that its addon works.
      if (code === 'ENOENT') return { name: `addon of @octoipc/${name}`, level: 'ok' };
      return {
        name: `addon of @octoipc/${name}`,
        level: 'broken',
        value: message,
        remedy: hint ?? `npm rebuild, or npm install @octoipc/${name} on this platform`,
      };
    }
    return { name: `addon of @octoipc/${name}`, level: 'ok' };
  });
}
