// node scripts/pages.mjs [--check]: docs/platforms.md, docs/runtimes.md and docs/arm64.md, from the records beside them,
// which the rehearsal and `npm run test:runtimes` keep; they write these themselves. With --check it only
// tells whether they are what their records give.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { machinePage } from './machine/page.mjs';
import { platformsPage } from './platforms-page.mjs';
import { runtimesPage } from './runtimes-page.mjs';
import { readJson, root } from './workspace.mjs';

const PAGES = { platforms: platformsPage, runtimes: runtimesPage, arm64: machinePage };

async function formatted(text, file) {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

/** Every page that has a record: its file, and what is to be in it. */
async function* texts() {
  for (const [name, pageOf] of Object.entries(PAGES)) {
    const record = join(root, 'docs', `${name}.json`);
    if (!existsSync(record)) continue;
    const page = join(root, 'docs', `${name}.md`);
    yield { file: record, text: await formatted(readFileSync(record, 'utf8'), record) };
    yield { file: page, text: await formatted(pageOf(readJson(record)), page) };
  }
}

/** Writes what is not as its record says. */
export async function writePages() {
  for await (const { file, text } of texts()) writeFileSync(file, text);
}

async function stale() {
  const files = [];
  for await (const { file, text } of texts())
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) files.push(file);
  return files;
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--check')) {
    const files = await stale();
    for (const file of files)
      console.error(`${file} is not what its record gives: node scripts/pages.mjs`);
    process.exitCode = files.length === 0 ? 0 : 1;
  } else {
    await writePages();
  }
}
