// One victim, killed at one point, and what the survivors find.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { reap } from '@octoipc/core';
import { context, SCENES } from './scenes.mjs';
import { without, world } from './world.mjs';

const PATIENCE = 60_000;
/** For a process that was killed to be gone. */
const ENDING = 10_000;
/** Where records of temporary names are, which reap has looked through. */
const RECORDS = `/dev/shm/octoipc-${process.geteuid()}/`;
const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/** A line that a process says, or undefined where it ends, or says nothing for too long. */
function word(stream, what) {
  return new Promise((resolve) => {
    let said = '';
    const end = () => resolve(said.includes(what) ? said : undefined);
    const watchdog = setTimeout(end, PATIENCE);
    stream.on('data', (data) => {
      said += data;
      if (!said.includes(what)) return;
      clearTimeout(watchdog);
      end();
    });
    stream.on('close', () => {
      clearTimeout(watchdog);
      end();
    });
  });
}

/** Runs victims of the scenes, in namespaces of this process's own. */
export class Runner {
  #folder = mkdtempSync(join(tmpdir(), 'octoipc-kills-'));
  #queues;
  #rival;
  #runs = 0;

  constructor(queues) {
    this.#queues = queues;
  }

  /** The system calls of a life, in order: `{ call, when }`, from being told to live until it is over. */
  async points(scene) {
    const { trace } = await this.#run(scene, { strace: ['-e', 'trace=all'] });
    const counts = new Map();
    const points = [];
    let begun = false;
    for (const [line, call] of trace.matchAll(/^(\w+)\(.*$/gm)) {
      const when = (counts.get(call) ?? 0) + 1;
      counts.set(call, when);
      if (begun) points.push({ call, when });
      begun ||= line.includes('"go\\n"');
      if (line.includes('"done\\n"')) break;
    }
    if (points.length === 0) throw new Error(`${scene}: nothing was traced: ${trace}`);
    return points;
  }

  /** Kills before the `when`-th such call. */
  at(scene, { call, when }, rivalled) {
    const inject = `inject=${call}:signal=SIGKILL:when=${when}`;
    return this.#run(scene, { strace: ['-e', `trace=${call}`, '-e', inject], rivalled });
  }

  /** Kills one that lives again and again, some time after it has begun. */
  sometime(scene, rivalled) {
    return this.#run(scene, { rivalled, milliseconds: Math.random() * 30 });
  }

  async #run(scene, { strace, rivalled = false, milliseconds }) {
    const { prepare, after, stays, next } = SCENES[scene];
    this.#runs += 1;
    const ctx = context(this.#folder, this.#runs);
    const times = milliseconds === undefined ? 'once' : 'again';
    const victim = spawn(
      process.execPath,
      [path('victim.mjs'), scene, JSON.stringify(ctx), times],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    victim.stdin.on('error', () => {});
    let stderr = '';
    victim.stderr.on('data', (data) => (stderr += data));
    const exited = once(victim, 'exit');
    if ((await word(victim.stdout, 'ready')) === undefined) throw new Error(`${scene}: ${stderr}`);
    const before = world(this.#folder, this.#queues);
    await prepare?.(ctx);
    const stop = rivalled ? await this.#startRival(scene, ctx) : undefined;

    const done = word(victim.stdout, 'done');
    const log = join(this.#folder, 'trace');
    const tracer =
      strace === undefined
        ? undefined
        : spawn('strace', ['-o', log, ...strace, '-p', String(victim.pid)], {
            stdio: ['ignore', 'ignore', 'pipe'],
          });
    const traced = tracer === undefined ? undefined : once(tracer, 'exit');
    if (tracer !== undefined) await word(tracer.stderr, 'attached');
    victim.stdin.write('go\n');
    if (milliseconds !== undefined) {
      await pause(milliseconds);
      victim.kill('SIGKILL');
    }
    // Its output ends a moment before it has ended.
    if ((await done) === undefined) await Promise.race([exited, pause(ENDING)]);
    const hangs =
      victim.exitCode === null && victim.signalCode === null && (await done) === undefined;
    victim.stdin.end();
    if (hangs) victim.kill('SIGKILL');
    const [, signal] = await exited;
    await traced;
    const rivals = await stop?.();
    const trace = tracer === undefined ? '' : readFileSync(log, 'latin1');
    rmSync(log, { force: true });

    const findings = [...(rivals?.wrong ?? [])];
    if (hangs) findings.push('it hangs');
    if (stderr !== '') findings.push(`it said ${stderr.slice(0, 200)}`);
    const wrong = after?.(ctx);
    if (wrong !== undefined) findings.push(wrong);
    const reports = reap();
    const told = reports.map(({ name }) => name.replace(/^\//, ''));
    for (const { kind, reason } of reports) if (kind === 'record') findings.push(`reap: ${reason}`);
    const now = world(this.#folder, this.#queues);
    for (const key of without(before, now))
      findings.push(`${nameless(key, ctx)} of somebody else is gone`);
    const mayStay = stays?.(ctx);
    for (const key of without(now, before)) {
      const record = key.startsWith(RECORDS);
      const expected = mayStay !== undefined && key.startsWith(mayStay);
      if (!record && !expected && !told.some((name) => key.includes(name))) {
        findings.push(`${nameless(key, ctx)} is left, and reap does not know it`);
      }
    }
    try {
      await next(ctx);
    } catch (error) {
      findings.push(`the next one cannot take over: ${error.code ?? error.stack}`);
    }
    reap();
    for (const key of without(world(this.#folder, this.#queues), before)) {
      findings.push(`${nameless(key, ctx)} stays after the next one`);
    }
    return { killed: signal === 'SIGKILL', findings, trace };
  }

  async #startRival(scene, ctx) {
    this.#rival ??= fork(path('rival.mjs'));
    const rival = this.#rival;
    rival.send({ scene, context: ctx });
    await once(rival, 'message');
    return async () => {
      rival.send('stop');
      const [report] = await once(rival, 'message');
      return report;
    };
  }

  end() {
    this.#rival?.disconnect();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The same finding of two runs reads the same. */
function nameless(key, ctx) {
  return key.replaceAll(ctx.path, 'PATH').replaceAll(ctx.name.slice(1), 'NAME');
}
