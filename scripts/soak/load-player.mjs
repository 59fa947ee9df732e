// load-player.mjs KIND send|receive INDEX WHERE: one of the many.
import { setImmediate } from 'node:timers/promises';

import { opener, receiving } from './load-kinds.mjs';
import { Message, Tally } from './load-tally.mjs';

/** More senders than any load has. */
const MOST = 256;
/** Sent before others of this process get a turn. */
const BURST = 16;

const [kind, role, index, where] = process.argv.slice(2);
if (role === 'receive') {
  const tally = new Tally(MOST);
  await receiving(
    kind,
    JSON.parse(where),
    (bytes) => tally.enter(Buffer.from(bytes)),
    () => process.send('ready'),
  );
  process.send({
    books: tally.books.slice(0, 1 + tally.books.findLastIndex(({ count }) => count > 0)),
  });
} else {
  const end = await opener(kind, JSON.parse(where));
  const messages = new Message();
  const told = { stopped: false };
  const go = new Promise((resolve) => {
    process.on('message', (message) => {
      if (message === 'stop') told.stopped = true;
      else resolve();
    });
  });
  process.send('ready');
  await go;
  let count = 0;
  while (!told.stopped) {
    for (let n = 0; n < BURST; n++) {
      await end.send(messages.of(Number(index), count));
      count += 1;
    }
    await setImmediate();
  }
  end.close();
  process.send({ count });
}
process.disconnect();
