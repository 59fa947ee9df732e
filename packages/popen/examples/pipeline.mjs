// The ten most frequent words of a text. Between the programs no byte passes through Node.
import { createReadStream } from 'node:fs';
import { pipeline as join } from 'node:stream/promises';
import { pipeline } from '@octoipc/popen';

const words = pipeline(
  [['tr', '-cs', 'A-Za-z', '\n'], ['tr', 'A-Z', 'a-z'], ['sort'], 'uniq -c | sort -rn | head'],
  'r+',
  { check: true },
);
const fed = join(createReadStream(new URL(import.meta.url)), words.stdin.toWritable());
for await (const line of words.lines()) console.log(line);
await fed;
console.log(words.statuses.map(({ code }) => code).join(' '));
