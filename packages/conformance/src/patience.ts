/**
 * How much longer than on a machine of one's own everything may take: `OCTOIPC_PATIENCE`, 1 by itself. For emulated
 * processors and the like, where a process takes seconds to start.
 */
export const patience: number = Math.max(1, Number(process.env['OCTOIPC_PATIENCE'] ?? 1) || 1);
