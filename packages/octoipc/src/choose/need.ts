/** What must outlive what. */
export const SURVIVALS = ['nothing', 'crash', 'restart'] as const;

/** Who must be kept out. */
export const KEPT_OUT = ['nobody', 'users', 'processes'] as const;

/** What two programs want to talk for. */
export interface Need {
  /** Bytes of a message. */
  readonly size: number;
  /** Messages a second. */
  readonly rate: number;
  /** How many take part. */
  readonly processes: number;
  /** Whether one has started the others, so that they can inherit. */
  readonly related: boolean;
  readonly sameMachine: boolean;
  /** What messages must survive that were sent and not received: a crash of both, a restart of the machine. */
  readonly survives: (typeof SURVIVALS)[number];
  readonly keepOut: (typeof KEPT_OUT)[number];
}

/** What most programs need. */
export const USUAL: Need = {
  size: 256,
  rate: 1000,
  processes: 2,
  related: false,
  sameMachine: true,
  survives: 'nothing',
  keepOut: 'users',
};
