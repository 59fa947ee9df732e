import type { Iterated, IterationAdapter } from '@octoipc/conformance';
import { pipeline, popen } from '@octoipc/popen';

const mechanism = 'POPEN';

interface Program {
  readonly stdin: { write(data: string): Promise<void> };
  readonly stdout: Iterated['handle'];
  lines(): AsyncIterator<string>;
  [Symbol.asyncIterator](): AsyncIterator<Buffer>;
  [Symbol.asyncDispose](): Promise<void>;
}

const chunksOf = (name: string, start: () => Program): IterationAdapter => ({
  name,
  mechanism,
  open() {
    const program = start();
    return {
      iterate: () => program[Symbol.asyncIterator](),
      handle: program.stdout,
      give: (token) => program.stdin.write(`${token}\n`),
      token: (chunk: Buffer) => Number(String(chunk)),
      close: () => void program[Symbol.asyncDispose](),
    };
  },
});

const linesOf = (name: string, start: () => Program): IterationAdapter => ({
  name,
  mechanism,
  open() {
    const program = start();
    return {
      iterate: () => program.lines(),
      handle: program.stdout,
      give: (token) => program.stdin.write(`${token}\n`),
      token: Number,
      close: () => void program[Symbol.asyncDispose](),
    };
  },
});

const cat = (): Program => popen(['cat'], 'r+');
const cats = (): Program => pipeline([['cat'], ['cat']], 'r+');

/** What one iterates over here. */
export const iterations: readonly IterationAdapter[] = [
  chunksOf('Process', cat),
  linesOf('Process.lines()', cat),
  chunksOf('Pipeline', cats),
  linesOf('Pipeline.lines()', cats),
];
