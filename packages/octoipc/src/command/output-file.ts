import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/**
 * The file that `recv --file` writes.
 *
 * Lifetime: it is opened before the channel, so that no message is taken for which there is no place; what
 * was in it stays until the channel is open.
 */
export class OutputFile implements AsyncDisposable {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens it, or makes it. */
  static async open(path: string): Promise<OutputFile> {
    return new OutputFile(await open(path, constants.O_WRONLY | constants.O_CREAT));
  }

  /** Lets go of what was in it; a device or a FIFO has nothing to let go of. */
  async begin(): Promise<void> {
    if ((await this.#handle.stat()).isFile()) await this.#handle.truncate();
  }

  /** Writes all of a message behind those before. */
  async add(message: Buffer): Promise<void> {
    await this.#handle.writeFile(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
