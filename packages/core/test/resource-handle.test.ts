import { ResourceHandle, type OwnedResource } from '@octoipc/core/kit';
import { expect, test, vi } from 'vitest';

import { codeNow } from './failure.js';
import { Peer } from './peer.js';

class Handle extends ResourceHandle {
  static over(resource: OwnedResource): Handle {
    return new Handle(resource);
  }

  use(): string {
    this.checkOpen();
    return 'used';
  }

  protected override describe() {
    return { syscall: 'semop', target: 5 };
  }
}

test('BIND-008 ResourceHandle: close() releases once; use after it is ERR_CLOSED', () => {
  const release = vi.fn();
  const handle = Handle.over({ release });
  expect([handle.use(), handle.closed, release.mock.calls.length]).toEqual(['used', false, 0]);
  handle.close();
  handle.close();
  handle[Symbol.dispose]();
  expect([handle.closed, release.mock.calls.length]).toEqual([true, 1]);
  expect(codeNow(() => handle.use())).toBe('ERR_CLOSED');
});

test('ResourceHandle: while it is released it is closed already', () => {
  let seen: boolean | undefined;
  const handle: Handle = Handle.over({ release: () => void (seen = handle.closed) });
  handle.close();
  expect(seen).toBe(true);
});

test('BIND-010 ResourceHandle: dropped ones are released by the collector, with one warning', async () => {
  const { stdout, stderr } = await Peer.node(new URL('fixtures/resources.mjs', import.meta.url))
    .ended;
  expect(stdout).toBe('released 50 of 100\n');
  expect(stderr.match(/IpcLeakWarning/g)).toEqual(['IpcLeakWarning']);
});
