/** The exit statuses of the command, which its users test for. */
export const STATUS = { ok: 0, failed: 1, usage: 2 } as const;
