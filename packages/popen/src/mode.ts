/** Which way a program is read or written: `r` its stdout, `w` its stdin, `r+` both. */
export type Mode = 'r' | 'w' | 'r+';

export const MODES: readonly Mode[] = ['r', 'w', 'r+'];
