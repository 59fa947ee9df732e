// victim.mjs SCENE CONTEXT once|again: lives when it is told to, once or again and again.
import { readSync, writeSync } from 'node:fs';

import { runtimeThreads } from '../../tracer/tracer.mjs';

// Before anything of ours is loaded.
const threads = await runtimeThreads();
const { SCENES } = await import('./scenes.mjs');

const [scene, given, times] = process.argv.slice(2);
const context = JSON.parse(given);
const { life, prepare } = SCENES[scene];
// Whatever is made or loaded once is by now.
const path = `${context.path}-warm`;
if (prepare === undefined || scene.startsWith('socket')) {
  await life({ name: `${context.name}-warm`, key: context.key + 0x10_0000, path });
}
writeSync(1, `${threads.join(' ')} ready\n`);
readSync(0, Buffer.alloc(8));
if (times === 'again') for (;;) await life(context);
await life(context);
writeSync(1, 'done\n');
readSync(0, Buffer.alloc(8));
