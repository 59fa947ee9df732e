import { fifo, mq, pipe, popen, sem, shm, signal, socket } from '../index.js';
import type { Finding } from './diagnosis.js';

/** What makes each package load its addon, and does no harm. */
const FIRST_USES: Readonly<Record<string, () => void>> = {
  pipe: () => pipe.createPipe().close(),
  fifo: () => void fifo.tryOpenWriter('/dev/shm/octoipc-no-such-fifo'),
  mq: () => void mq.PosixQueue.limits(),
  sem: () => void sem.SysvSemaphoreSet.limits(),
  shm: () => shm.SharedMemory.memfd({ size: 1 }).close(),
  signal: () => void signal.exists(process.pid),
  socket: () => socket.socketPair().forEach((end) => end.close()),
  popen: () => void popen.popenSync('true'),
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
