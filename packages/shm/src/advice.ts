/** What madvise(2) can be told of shared memory. */
export type MemoryAdvice =
  | 'normal'
  | 'random'
  | 'sequential'
  | 'willneed'
  | 'dontneed'
  | 'hugepage'
  | 'nohugepage'
  | 'dontfork'
  | 'dofork'
  | 'dontdump'
  | 'dodump';

/** Which of the binding's numbers it is. */
export const ADVICE = {
  normal: 'adviseNormal',
  random: 'adviseRandom',
  sequential: 'adviseSequential',
  willneed: 'adviseWillNeed',
  dontneed: 'adviseDontNeed',
  hugepage: 'adviseHugePage',
  nohugepage: 'adviseNoHugePage',
  dontfork: 'adviseDontFork',
  dofork: 'adviseDoFork',
  dontdump: 'adviseDontDump',
  dodump: 'adviseDoDump',
} as const;
