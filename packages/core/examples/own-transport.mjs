// Message boundaries and a codec over a byte stream: here a pipe, but any ByteReader and ByteWriter does.
import { frameReceiver, frameSender, structured, withCodec } from '@octoipc/core';
import { createPipe } from '@octoipc/pipe';

const { reader, writer } = createPipe();
const sender = withCodec(frameSender(writer), structured);
const receiver = withCodec(frameReceiver(reader), structured);

await sender.send(new Map([['started', new Date(0)]]));
console.log(await receiver.receive());
