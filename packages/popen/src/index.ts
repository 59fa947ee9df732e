/**
 * A program at the other end of a pipe: popen(3) that never leaks a process.
 *
 * @packageDocumentation
 */
export type { ChildHandle } from './child.js';
export type { Command } from './command.js';
export type { ProcessFailure } from './failure.js';
export type { Limits, LimitName, LimitValue } from './limits.js';
export type { DescriptorLike, PopenOptions, StartOptions } from './options.js';
export type { Mode } from './mode.js';
export { pipeline, type PipelineOptions } from './pipeline.js';
export { popen } from './popen.js';
export type { KillOptions, Process } from './process.js';
export type { Word } from './quote.js';
export type { Pipeline } from './running-pipeline.js';
export type { ShellCommand } from './shell.js';
export type { SignalName } from './signals.js';
export type { ExitStatus, ResourceUsage } from './status.js';
export { popenSync, type PopenSyncOptions, type PopenSyncResult } from './sync.js';
export type { PipelineStatus } from './verdict.js';
