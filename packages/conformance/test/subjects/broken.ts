import { openSync } from 'node:fs';

/** A subject with one defect, and the case that must reject it. */
export interface Broken<A> {
  readonly defect: string;
  readonly adapter: A;
  readonly rejectedBy: string;
}

/** Opens a descriptor that nobody closes. */
export function leak(): number {
  return openSync('/dev/null', 'r');
}
