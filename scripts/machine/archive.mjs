// A root file system as the kernel takes it when it boots: a cpio archive in the format "newc", all of root's. What
// one archive has, a later one behind it in the same file adds to.
import { createWriteStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

/** Archives that follow one another begin at multiples of this. */
const BLOCK = 512;
const CHARACTER_DEVICE = 0o020000;

/** One archive, written entry by entry. */
export class Archive {
  #file;
  #written = 0;
  #entries = 0;

  constructor(path) {
    this.#file = createWriteStream(path);
  }

  /** Everything in a folder, at a path within the archive; the folders above it have to be there. */
  async folder(from, to = '') {
    for (const name of readdirSync(from).toSorted()) {
      const source = join(from, name);
      const path = to === '' ? name : `${to}/${name}`;
      const status = lstatSync(source);
      if (status.isDirectory()) {
        await this.#add(path, status.mode);
        await this.folder(source, path);
      } else if (status.isSymbolicLink()) {
        await this.link(path, readlinkSync(source));
      } else if (status.isFile()) {
        await this.#add(path, status.mode, readFileSync(source));
      }
    }
  }

  async directory(path, mode = 0o755) {
    await this.#add(path, 0o040000 | mode);
  }

  async file(path, content, mode = 0o644) {
    await this.#add(path, 0o100000 | mode, Buffer.from(content));
  }

  async link(path, target) {
    await this.#add(path, 0o120777, Buffer.from(target));
  }

  /** A device node, which takes no right to make that here. */
  async characterDevice(path, major, minor) {
    await this.#add(path, CHARACTER_DEVICE | 0o600, Buffer.alloc(0), major, minor);
  }

  /** Ends the archive; it is complete when this is over. */
  async end() {
    await this.#add('TRAILER!!!', 0);
    await this.#write(Buffer.alloc(-this.#written & (BLOCK - 1)));
    this.#file.end();
    await once(this.#file, 'close');
  }

  async #add(path, mode, content = Buffer.alloc(0), major = 0, minor = 0) {
    this.#entries += 1;
    // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    const fields = [this.#entries, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor];
    const name = Buffer.from(`${path}\0`);
    const header = [...fields, name.length, 0].map((each) => each.toString(16).padStart(8, '0'));
    await this.#write(Buffer.from(`070701${header.join('')}`), name);
    await this.#write(content);
  }

  /** Writes parts, and zeros up to a multiple of four. */
  async #write(...parts) {
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    const padding = Buffer.alloc(-(this.#written + size) & 3);
    this.#written += size + padding.length;
    if (!this.#file.write(Buffer.concat([...parts, padding]))) await once(this.#file, 'drain');
  }
}
