// The parsers of bytes that others wrote: each with its package, a check of what must hold for any input, and inputs to
// begin with. Bundled with the sources.
import { FRAMES } from './frames.mjs';
import { KERNEL } from './kernel.mjs';
import { NAMES } from './names.mjs';

export const targets = { ...FRAMES, ...NAMES, ...KERNEL };
