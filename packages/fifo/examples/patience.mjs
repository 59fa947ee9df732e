// What to do when nobody reads: look, wait for a while, or wait until told otherwise.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isIpcError } from '@octoipc/core';
import { mkfifo, openWriter, tryOpenWriter } from '@octoipc/fifo';

const folder = mkdtempSync(join(tmpdir(), 'patience-'));
const path = join(folder, 'letters');
mkfifo(path);

console.log('somebody reads:', tryOpenWriter(path) !== null);

try {
  await openWriter(path, { timeout: 50 });
} catch (error) {
  if (!isIpcError(error, 'ETIMEDOUT')) throw error;
  console.log('nobody came within 50 ms');
}

const controller = new AbortController();
const giveUp = setTimeout(() => controller.abort(), 60_000);
const waiting = openWriter(path, { signal: controller.signal });
const reader = spawn('cat', [path], { stdio: ['ignore', 'inherit', 'inherit'] });
const writer = await waiting;
clearTimeout(giveUp);
await writer.write('cat(1) came, and reads this\n');
writer.close();
reader.on('exit', () => rmSync(folder, { recursive: true }));
