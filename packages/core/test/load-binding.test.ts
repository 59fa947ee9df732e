import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { capabilities } from '@octoipc/core';
import { loadBinding } from '@octoipc/core/kit';
import { expect, onTestFinished, test } from 'vitest';

import { failure } from './failure.js';
import { kit } from './kit-binding.js';

const HERE = import.meta.dirname;

function packageFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-binding-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'package.json'), '{}');
  return folder;
}

test('BIND-016: a binding that is not there is ERR_UNSUPPORTED, and says what to do', async () => {
  const folder = packageFolder();
  const error = await failure(() => loadBinding(join(folder, 'package.json'), 'pipe'));
  expect(error).toMatchObject({ name: 'IpcError', code: 'ERR_UNSUPPORTED' });
  expect(String(error.target)).toContain(folder);
  expect(error.hint).toBeTruthy();
});

test('BIND-016: a binding that does not load is ERR_UNSUPPORTED, with its cause', async () => {
  const folder = packageFolder();
  mkdirSync(join(folder, 'build/Release'), { recursive: true });
  writeFileSync(join(folder, 'build/Release/pipe.node'), 'no shared object');
  const error = await failure(() => loadBinding(join(folder, 'package.json'), 'pipe'));
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', cause: { code: 'ERR_DLOPEN_FAILED' } });
});

/** A package with a copy of a real binding in one of its folders, and rubbish in others. */
function packageWith(binding: string | undefined, rubbish: string[] = []): string {
  const folder = packageFolder();
  const place = (at: string): string => {
    mkdirSync(join(folder, at), { recursive: true });
    return join(folder, at, 'pipe.node');
  };
  for (const at of rubbish) writeFileSync(place(at), 'no shared object');
  if (binding !== undefined) {
    copyFileSync(join(HERE, '..', '..', 'pipe', 'build/Release/pipe.node'), place(binding));
  }
  return join(folder, 'package.json');
}

/** The C library that this program has, and the one that it has not. */
const [OWN, OTHER] = capabilities().libc === 'musl' ? ['musl', 'glibc'] : ['glibc', 'musl'];
const prebuilt = (libc: string): string => `prebuilds/linux-${process.arch}-${libc}`;
const HAS_EVERY_CALL = { adopt: expect.any(Function), close: expect.any(Function) };

test('loadBinding() takes the binary that the package brings along, where none was built', () => {
  const manifest = packageWith(prebuilt(OWN));
  expect(loadBinding(manifest, 'pipe')).toMatchObject(HAS_EVERY_CALL);
});

test('loadBinding() takes no binary for another C library, which might load and have other structures', async () => {
  const manifest = packageWith(prebuilt(OTHER), [prebuilt(OWN)]);
  const error = await failure(() => loadBinding(manifest, 'pipe'));
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', cause: { code: 'ERR_DLOPEN_FAILED' } });
});

test('loadBinding() knows the C library of a program that its loader was told to run', () => {
  const head = readFileSync(process.execPath).subarray(0, 2048).toString('latin1');
  const [loader = expect.fail('no loader is named')] =
    /\/[^\0]*\/ld-(?:linux|musl)[^\0]*/.exec(head) ?? [];
  const module = pathToFileURL(createRequire(import.meta.url).resolve('@octoipc/core/kit')).href;
  const script = `
    const { loadBinding } = await import(${JSON.stringify(module)});
    console.log(process.execPath, typeof loadBinding(process.argv[1], 'pipe').close);`;
  const load = (manifest: string): string => {
    const args = [process.execPath, '--input-type=module', '--eval', script, manifest];
    return spawnSync(loader, args, { encoding: 'utf8' }).stdout;
  };
  expect(load(packageWith(prebuilt(OWN)))).toMatch(/ld-.* function\n$/);
  expect(load(packageWith(prebuilt(OTHER)))).toBe('');
});

test('loadBinding() falls back to the shipped binary where what was built does not load', () => {
  const manifest = packageWith(prebuilt(OWN), ['build/Release']);
  expect(loadBinding(manifest, 'pipe')).toMatchObject(HAS_EVERY_CALL);
});

test("BIND-016: a binary that does not load tells dlopen's own error, and the command that builds", async () => {
  const manifest = packageWith(undefined, [prebuilt(OWN), prebuilt(OTHER)]);
  const error = await failure(() => loadBinding(manifest, 'pipe'));
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', cause: { code: 'ERR_DLOPEN_FAILED' } });
  expect(error.message).toContain((error.cause as Error).message);
  expect(error.hint).toContain(dirname(manifest));
  expect(error.hint).toMatch(/octoipc-build|build\.js/);
});

test('loadBinding() finds the package from the program where the caller is a bundle', async () => {
  const folder = packageFolder();
  const installed = join(folder, 'node_modules', '@octoipc', 'pipe');
  mkdirSync(dirname(installed), { recursive: true });
  cpSync(dirname(packageWith(prebuilt(OWN))), installed, { recursive: true });
  const bundle = pathToFileURL(join(folder, 'out', 'bundle.mjs')).href;
  expect(loadBinding(bundle, 'pipe')).toMatchObject(HAS_EVERY_CALL);
});

test('loadBinding() says that the package has to be installed, where nothing finds it', async () => {
  const error = await failure(() => loadBinding('file:///nowhere/bundle.mjs', 'nothing-at-all'));
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED' });
  expect(error.hint).toContain('npm install @octoipc/nothing-at-all');
});

test.each(['win32', 'darwin', 'freebsd'] as const)(
  'loadBinding() is ERR_UNSUPPORTED on %s, and names it',
  async (platform) => {
    const before = process.platform;
    Object.defineProperty(process, 'platform', { value: platform });
    onTestFinished(() => {
      Object.defineProperty(process, 'platform', { value: before });
    });
    const error = await failure(() => loadBinding(packageWith(prebuilt(OWN)), 'pipe'));
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED' });
    expect(error.message).toContain(platform);
  },
);

test('a binding is loaded once per thread', () => {
  const manifest = join(import.meta.dirname, '..', 'package.json');
  expect(loadBinding(manifest, 'kit_test')).toBe(kit);
});
