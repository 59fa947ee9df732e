// Messages that carry their sender, number and checksum, and the books that are kept of them: how many of each
// sender, and two sums over the hashes of their numbers. A lost message, or a doubled one, changes both.

export const LONGEST = 48;
const HEAD = 12;

function hash(number, salt) {
  let value = Math.imul(number ^ salt, 0x9e37_79b1) >>> 0;
  value = Math.imul(value ^ (value >>> 15), 0x85eb_ca6b) >>> 0;
  return (value ^ (value >>> 13)) >>> 0;
}

function checksum(bytes, from) {
  let sum = 0x811c_9dc5;
  for (let i = 0; i < bytes.length; i++) {
    if (i < from || i >= from + 4) sum = Math.imul(sum ^ bytes[i], 0x0100_0193);
  }
  return sum >>> 0;
}

/** What a sender sends, one after the other. */
export class Message {
  #bytes = Buffer.alloc(LONGEST);

  /** The message of this number. */
  of(sender, number) {
    const length = HEAD + (hash(number, sender) % (LONGEST - HEAD));
    const bytes = this.#bytes.subarray(0, length);
    bytes.writeUInt32LE(sender, 0);
    bytes.writeUInt32LE(number, 4);
    for (let i = HEAD; i < length; i++) bytes[i] = number + i * 31 + sender;
    bytes.writeUInt32LE(checksum(bytes, 8), 8);
    return bytes;
  }
}

/** What was received, by its senders. */
export class Tally {
  constructor(senders) {
    this.books = Array.from({ length: senders }, () => ({ count: 0, a: 0, b: 0, last: -1 }));
  }

  /** Enters a message; throws where it is torn, or came before an earlier one of its sender. */
  enter(bytes) {
    if (bytes.length < HEAD || checksum(bytes, 8) !== bytes.readUInt32LE(8)) {
      throw new Error(`torn: ${bytes.toString('hex')}`);
    }
    const sender = bytes.readUInt32LE(0);
    const number = bytes.readUInt32LE(4);
    const book = this.books[sender];
    if (number <= book.last) throw new Error(`${sender} sent ${number} before ${book.last}`);
    book.last = number;
    note(book, number);
  }

  /** Adds what another one was told. */
  add({ books }) {
    for (const [sender, { count, a, b }] of books.entries()) {
      const book = this.books[sender];
      book.count += count;
      book.a = (book.a + a) >>> 0;
      book.b = (book.b + b) >>> 0;
    }
  }

  /** Throws unless these were sent: `{ count }` by sender. */
  mustBe(sent) {
    for (const [sender, { count }] of sent.entries()) {
      const wanted = { count: 0, a: 0, b: 0 };
      for (let number = 0; number < count; number++) note(wanted, number);
      const book = this.books[sender];
      if (book.count !== count) throw new Error(`${sender} sent ${count}, ${book.count} came`);
      if (book.a !== wanted.a || book.b !== wanted.b) {
        throw new Error(`of ${sender} some were lost and others doubled`);
      }
    }
  }
}

function note(book, number) {
  book.count += 1;
  book.a = (book.a + hash(number, 0x1234_5678)) >>> 0;
  book.b = (book.b + hash(number, 0x0bad_cafe)) >>> 0;
}
