// npm run fuzz -- NAME [--seconds N] [--seed N] [--asan]: throws arguments at the whole surface of a package, as its
// test/fuzz/NAME.mjs says. With --asan under AddressSanitizer, by a build of its own beside the shipped one.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { root } from './workspace.mjs';

/** Compiles a package's binding with the sanitizers, into a folder of its own. */
function buildSanitized(folder, flavour) {
  const target = join(folder, flavour, `${basename(folder)}.node`);
  mkdirSync(dirname(target), { recursive: true });
  const native = join(folder, 'native');
  const sources = readdirSync(native).filter((file) => file.endsWith('.cc'));
  const addonApi = join(root, 'node_modules', 'node-addon-api');
  const { status } = spawnSync(
    'g++',
    [
      ...'-std=c++20 -shared -fPIC -g -O1 -fno-omit-frame-pointer -fvisibility=hidden'.split(' '),
      ...'-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined'.split(
        ' ',
      ),
      ...'-DNAPI_VERSION=9 -DNAPI_DISABLE_CPP_EXCEPTIONS -DNODE_ADDON_API_ENABLE_TYPE_CHECK_ON_AS'.split(
        ' ',
      ),
      ...'-DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_ADDON_API_REQUIRE_BASIC_FINALIZERS'.split(' '),
      ...[join(dirname(dirname(process.execPath)), 'include', 'node'), addonApi].map(
        (path) => `-I${path}`,
      ),
      `-I${join(root, 'packages', 'core', 'include')}`,
      `-DNODE_GYP_MODULE_NAME=${basename(folder)}`,
      '-o',
      target,
      ...sources.map((file) => join(native, file)),
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    asan: { type: 'boolean', default: false },
  },
});
const [name = ''] = positionals;
const folder = join(root, 'packages', name);
const program = join(folder, 'test', 'fuzz', `${name}.mjs`);
if (name === '' || !existsSync(program)) {
  console.error(
    'usage: npm run fuzz -- NAME [--seconds N] [--seed N] [--asan], for a package with test/fuzz/NAME.mjs',
  );
  process.exit(2);
}
await readyOrExit(`@octoipc/${name}`);

const env = { ...process.env };
if (values.asan) {
  const flavour = join('build', 'asan');
  for (const one of ['core', name]) buildSanitized(join(root, 'packages', one), flavour);
  const library = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  Object.assign(env, {
    OCTOIPC_BUILD: flavour,
    LD_PRELOAD: library.stdout.trim(),
    ASAN_OPTIONS: 'detect_leaks=0:handle_segv=0:handle_sigbus=0',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  });
}
const args = ['--expose-gc', program, values.seconds, values.seed];
const { status, signal } = spawnSync(process.execPath, args, { stdio: 'inherit', env });
if (signal !== null) console.error(`fuzz: ended by ${signal}, seed ${values.seed}`);
process.exit(status ?? 1);
