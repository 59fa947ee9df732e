// A service that any program can write to, by path: here a shell, perl and this one, one after another.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { openReader, openWriter } from '@octoipc/fifo';

const folder = mkdtempSync(join(tmpdir(), 'service-'));
const path = join(folder, 'requests');
const run = promisify(execFile);

// Writers may come and go; a persistent reader stays.
const requests = await openReader(path, { create: true, mode: 0o622, persistent: true });
const lines = requests.lines();

await run('sh', ['-c', 'echo "from a shell" > "$0"', path]);
await run('perl', ['-e', 'open F, ">", shift; print F "from perl\\n"', path]);
const writer = await openWriter(path, { timeout: 1000 });
await writer.write('from Node.js\n');
writer.close();

for (let i = 0; i < 3; i++) console.log((await lines.next()).value);
requests.close();
rmSync(folder, { recursive: true });
