// rival.mjs: the third process. Told `{ scene, context }` it does what a rival does there, again and again,
// until it is told `stop`; then it says how often, and what went wrong.
import { setImmediate } from 'node:timers/promises';

import { SCENES } from './scenes.mjs';

const told = { stopped: true };
process.on('message', async (message) => {
  if (message === 'stop') {
    told.stopped = true;
    return;
  }
  const { rival } = SCENES[message.scene];
  const wrong = new Set();
  let rounds = 0;
  for (told.stopped = false; !told.stopped; rounds++) {
    try {
      const said = await rival(message.context);
      if (said !== undefined) wrong.add(said);
    } catch (error) {
      wrong.add(error.code ?? error.stack);
    }
    if (rounds === 0) process.send('going');
    await setImmediate();
  }
  process.send({ rounds, wrong: [...wrong] });
});
process.on('disconnect', () => process.exit());
