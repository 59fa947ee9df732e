import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as octoipc from 'octoipc';
import { describe, expect, it } from 'vitest';

import manifest from '../package.json' with { type: 'json' };
import { home, node } from './command.js';

const packages = join(home, '..');

/** Packages that carry the others, and so have neither namespace nor scheme. */
const FOUNDATIONS = ['bench', 'conformance', 'core', 'octoipc'];

/** Mechanisms over which no messages go. */
const WITHOUT_MESSAGES = ['sem', 'signal'];

/** What the schemes of a package begin with, where that is not its name. */
const SCHEMES: Readonly<Record<string, string>> = { socket: 'unix' };

const others = readdirSync(packages).filter(
  (name) => existsSync(join(packages, name, 'package.json')) && !FOUNDATIONS.includes(name),
);
const mechanisms = others.filter((name) => existsSync(join(packages, name, 'native')));

describe.each(others)('packages/%s', (name) => {
  const { name: full } = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')) as {
    name: string;
  };

  it.runIf(mechanisms.includes(name))('is a namespace, a subpath and a dependency', () => {
    expect(Object.keys(octoipc)).toContain(name);
    expect(Object.keys(manifest.exports)).toContain(`./${name}`);
    expect(Object.keys(manifest.dependencies)).toContain(full);
  });

  it.runIf(!mechanisms.includes(name))('is an optional peer', () => {
    expect(Object.keys(manifest.peerDependencies)).toContain(full);
    expect(manifest.peerDependenciesMeta).toHaveProperty([full], { optional: true });
  });

  it.runIf(!WITHOUT_MESSAGES.includes(name))('has a scheme', () => {
    expect(octoipc.schemes()).toContain(SCHEMES[name] ?? name);
  });
});

const readme = readFileSync(join(home, 'README.md'), 'utf8');

it.each(mechanisms)('the README tells of the namespace and the subpath of %s', (name) => {
  expect(readme).toContain(`\n| \`${name}\` `);
  expect(readme).toContain(`\n| \`octoipc/${name}\` `);
  expect(readme).toMatch(new RegExp(`## See also\n.*@octoipc/${name}\``, 's'));
});

it('every scheme that is built in is in the README', () => {
  for (const scheme of octoipc.schemes()) expect(readme).toContain(`\`${scheme}:`);
});

/** A program that opens a channel, and tells which packages it has loaded. */
const LOADED = `
  const { openReceiver } = await import('octoipc');
  const receiver = await openReceiver(process.argv[1], { temporary: true });
  receiver.close();
  const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'latin1');
  const addons = [...maps.matchAll(/packages.(\\w+).build/g)].map(([, name]) => name);
  console.log(JSON.stringify([...new Set(addons)].sort()));
`;

it.skipIf(process.platform !== 'linux')(
  'openReceiver() loads the package of its scheme, and no other mechanism',
  async () => {
    const url = `mq:/octoipc-complete-${process.pid}`;
    const { stdout, stderr } = await node('--input-type=module', '--eval', LOADED, url);
    expect(stderr).toBe('');
    const addons = JSON.parse(stdout) as string[];
    expect(addons.filter((name) => name !== 'core')).toEqual(['mq']);
  },
);

/** The packages of which the import itself loads anything; what that costs is measured by the benchmarks. */
const IMPORTED = `
  import { Session } from 'node:inspector';
  const session = new Session();
  session.connect();
  const files = [];
  session.on('Debugger.scriptParsed', ({ params }) => files.push(params.url));
  session.post('Debugger.enable');
  files.length = 0;
  await import('octoipc');
  const own = files.filter((url) => !url.startsWith('node:'));
  console.log(JSON.stringify(own.map((url) => /packages.(\\w+).dist/.exec(url)?.[1] ?? url)));
`;

it("import 'octoipc' loads no other package", async () => {
  const { stdout } = await node('--input-type=module', '--eval', IMPORTED);
  expect(new Set(JSON.parse(stdout))).toEqual(new Set(['octoipc']));
});

it('nats: says what to install where the adapter is missing', async () => {
  // As it is for somebody who has only octoipc: the name is found nowhere.
  const program = `
    import Module from 'node:module';
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (name, ...rest) => {
      if (name !== '@octoipc/nats') return resolve.call(Module, name, ...rest);
      throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
    };
    const { openSender } = await import('octoipc');
    const error = await openSender('nats://127.0.0.1/jobs').catch((reason) => reason);
    console.log(JSON.stringify([error.code, error.hint]));
  `;
  const { stdout } = await node('--input-type=module', '--eval', program);
  expect(JSON.parse(stdout)).toEqual(['ERR_UNSUPPORTED', 'npm install @octoipc/nats']);
});
