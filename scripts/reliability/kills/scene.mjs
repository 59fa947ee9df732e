// What scenes of kills have in common: `life` is the victim's, `next` is how a survivor takes over and cleans
// up, `rival` is what a third process does meanwhile, and what it says went wrong is a finding.
import { statSync } from 'node:fs';

export const TIMEOUT = 20_000;
export const token = () => String(Math.random());
export const codeOf = ({ code, message }) => code ?? message;

/** Something with a name, made temporary; `same` tells whether two handles are of one object. */
export function temporary(mechanism, { open, unlink: remove, same, use = () => {} }) {
  return {
    mechanism,
    life(ctx) {
      let handle;
      try {
        handle = open(ctx, { temporary: true });
      } catch (error) {
        // What only creates comes too late where a rival has the name at this moment.
        if (error.code === 'EEXIST') return;
        throw error;
      }
      use(handle);
      handle.close();
    },
    next(ctx) {
      const handle = open(ctx, { create: true });
      use(handle);
      handle.close();
      remove(ctx, handle);
    },
    async rival(ctx) {
      let own;
      try {
        own = open(ctx, { temporary: true, exclusive: true });
      } catch (error) {
        return error.code === 'EEXIST' ? undefined : `a rival got ${codeOf(error)}`;
      }
      try {
        const again = open(ctx, {});
        const verdict = (await same(own, again))
          ? undefined
          : 'another object has a living one’s name';
        again.close();
        return verdict;
      } catch (error) {
        return `a living one’s name was gone: ${codeOf(error)}`;
      } finally {
        own.close();
      }
    },
  };
}

/** Made to stay: it is whole from its first moment, or it is not there. */
export function lasting(mechanism, { open, unlink: remove, file, size, use = () => {} }) {
  return {
    mechanism,
    stays: file,
    life(ctx) {
      const handle = open(ctx);
      use(handle);
      handle.close();
      remove(ctx);
    },
    after(ctx) {
      const status = statSync(file(ctx), { throwIfNoEntry: false });
      return status === undefined || status.size === size
        ? undefined
        : `it has ${status.size} bytes of ${size}`;
    },
    next(ctx) {
      const handle = open(ctx);
      use(handle);
      handle.close();
      remove(ctx);
    },
    rival: (ctx) => void open(ctx).close(),
  };
}

/** Removes what a rival may have removed. */
export function removed(remove) {
  try {
    remove();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
