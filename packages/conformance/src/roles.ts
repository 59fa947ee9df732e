/**
 * The other processes of the suites: a mechanism's script names its actors, and `playRoles` has them
 * play the role that the suite asks for.
 *
 * @packageDocumentation
 */
import { lifecycleRoles } from './role-lifecycle.js';
import { lockRoles } from './role-lock.js';
import { namedRoles } from './role-named.js';
import { peerRoles } from './role-peer.js';
import { resourceRoles } from './role-resources.js';
import { theStage, type Actors, type Roles } from './stage.js';

export type { Actors } from './stage.js';

const roles: Roles = {
  ...lifecycleRoles,
  ...resourceRoles,
  ...peerRoles,
  ...namedRoles,
  ...lockRoles,
};

/**
 * Plays the role that this process or worker was started for.
 *
 * The suite starts `node --expose-gc SCRIPT ROLE [ARGUMENT…]`, or a worker whose `workerData` is
 * `{ role: [ROLE, ARGUMENT…] }`. What a role has to say are lines on standard output, or messages to the
 * parent of a worker; what it is told are lines on standard input. The roles are the suite's business
 * and may change; a script only supplies actors.
 *
 * | Roles | Suite | Actors |
 * |---|---|---|
 * | `wait`, `idle`, `workers`, `imported`, … | lifecycle | `waitable` |
 * | `drop`, `exhaust` | resources | `waitable` |
 * | `write`, `flood`, `read`, `consume` | crash safety, bytes | `writer`, `reader` |
 * | `send`, `receive` | crash safety, messages | `sender`, `receiver` |
 * | `create`, `race` | named object | `named` |
 * | `hold-lock`, `increment` | lock | `lock` |
 *
 * @param actors - what the mechanism supplies; those of the suites that it does not run may be missing
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when the role is unknown, or its actor is missing
 * @example
 * ```js no-run
 * // test/fixtures/roles.mjs
 * import { PipeReader, PipeWriter } from '@octoipc/pipe';
 * import { playRoles } from '@octoipc/conformance/roles';
 *
 * await playRoles({
 *   writer: () => PipeWriter.fromFd(3),
 *   reader: () => PipeReader.fromFd(3),
 * });
 * ```
 */
export async function playRoles(actors: Actors): Promise<void> {
  const stage = theStage(actors);
  const play = Object.hasOwn(roles, stage.role) ? roles[stage.role] : undefined;
  if (play === undefined) {
    throw Object.assign(new TypeError(`there is no role '${stage.role}'`), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  }
  await play(stage);
}
