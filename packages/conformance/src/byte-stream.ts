import type { ByteReader, ByteWriter, WaitOptions } from '@octoipc/core';

import type { Adapter } from './adapter.js';
import { cancellation } from './byte-stream-cancel.js';
import { integrity } from './byte-stream-data.js';
import { ending } from './byte-stream-end.js';
import { flow } from './byte-stream-flow.js';
import { views } from './byte-stream-views.js';
import type { Suite } from './case.js';

/** What a byte stream may lack. */
export type ByteStreamTrait =
  /** The reader gets `null` once the writer has closed. */
  | 'end'
  /** A write rejects with `EPIPE` once the reader has closed. */
  | 'brokenPipe'
  /** It holds a bounded number of bytes; beyond, a write waits. */
  | 'bounded'
  /** A `tryWrite` of up to `atomicSize` bytes is taken whole or not at all. */
  | 'atomic'
  /** `readSync` and `writeSync`. */
  | 'sync'
  /** `for await (const chunk of reader)`. */
  | 'iteration'
  /** `readAll`. */
  | 'readAll'
  /** `lines`. */
  | 'lines';

/** The reading end, with what the suite knows beyond a {@link ByteReader}. */
export interface StreamReader extends ByteReader {
  readSync?(options?: { readonly timeout?: number; readonly maxBytes?: number }): Buffer | null;
  readAll?(options?: { readonly maxBytes?: number }): Promise<Buffer>;
  lines?(): AsyncIterable<string>;
  [Symbol.asyncIterator]?(): AsyncIterator<Buffer>;
}

/** The writing end, with what the suite knows beyond a {@link ByteWriter}. */
export interface StreamWriter extends ByteWriter {
  writeSync?(data: Uint8Array, options?: Pick<WaitOptions, 'timeout'>): void;
}

/** Both ends of one stream, in this process. */
export interface StreamEnds {
  readonly reader: StreamReader;
  readonly writer: StreamWriter;
}

/** How to make byte streams of a mechanism. */
export interface ByteStreamAdapter extends Adapter<ByteStreamTrait> {
  /** A new stream. The suite closes both ends. */
  open(): StreamEnds | Promise<StreamEnds>;
  /** The longest write that is taken whole or not at all. @default 4096 */
  readonly atomicSize?: number;
}

/** All cases of a byte stream. */
export const byteStreamSuite: Suite<ByteStreamAdapter> = {
  trait: 'byte stream',
  cases: [...integrity, ...views, ...ending, ...flow, ...cancellation],
};
