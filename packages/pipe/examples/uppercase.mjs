// Feeds a program through real pipes and reads what it makes of it.
import { spawnWithPipes } from '@octoipc/pipe';

const { child, pipes } = spawnWithPipes('tr', ['a-z', 'A-Z'], {
  pipes: { 0: 'read', 1: 'write' },
});
const output = pipes[1].readAll();
await pipes[0].write('pipes are older than most of us\n');
pipes[0].close();
process.stdout.write(await output);
pipes[1].close();
child.on('exit', (code) => console.log(`tr ended with ${code}`));
