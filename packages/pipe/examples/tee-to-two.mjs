// One stream to two readers, copied inside the kernel.
import { createPipe, splice, tee } from '@octoipc/pipe';

const source = createPipe();
const [left, right] = [createPipe(), createPipe()];
await source.writer.write('both read this');
source.writer.close();

while ((await tee(source.reader, left.writer)) > 0) {
  // tee leaves the bytes in the source: as many go on to the right.
  await splice(source.reader, right.writer, { length: left.reader.available });
}
left.writer.close();
right.writer.close();
console.log(`left:  ${await left.reader.readAll()}`);
console.log(`right: ${await right.reader.readAll()}`);
for (const pipe of [source, left, right]) pipe.close();
