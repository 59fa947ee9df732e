// One victim, killed at one point, and what the survivors find.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { reap } from '@octoipc/core';
import { Tracer } from '../../tracer/tracer.mjs';
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
  #tracer = new Tracer();
  #rival;
  #runs = 0;

  constructor(queues) {
    this.#queues = queues;
  }

  /** The system calls of a life, in order, of all threads: `{ call, when }`, from being told to live until it is over. */
  async points(scene) {
    const { calls } = await this.#run(scene, { traced: true });
    const counts = new Map();
    const points = [];
    let begun = false;
    for (const { call, argument } of calls) {
      const when = (counts.get(call) ?? 0) + 1;
      counts.set(call, when);
      if (begun && call === 'write' && argument === '1') break;
      if (begun) points.push({ call, when });
      begun ||= call === 'read' && argument === '0';
    }
    if (points.length === 0) throw new Error(`${scene}: nothing was traced`);
    return points;
  }

  /** Kills before the `when`-th such call. */
  at(scene, point, rivalled) {
    return this.#run(scene, { traced: true, point, rivalled });
  }

  /** Kills one that lives again and again, some time after it has begun. */
  sometime(scene, rivalled) {
    return this.#run(scene, { rivalled, milliseconds: Math.random() * 30 });
  }

  async #run(scene, { traced = false, point, rivalled = false, milliseconds }) {
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
    const ready = await word(victim.stdout, 'ready');
    if (ready === undefined) throw new Error(`${scene}: ${stderr}`);
    const before = world(this.#folder, this.#queues);
    await prepare?.(ctx);
    const stop = rivalled ? await this.#startRival(scene, ctx) : undefined;

    const done = word(victim.stdout, 'done');
    const trace = traced
      ? await this.#tracer.attach(victim.pid, ready.match(/\d+/g) ?? [], point)
      : undefined;
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
    const calls = (await trace?.end()) ?? [];
    const rivals = await stop?.();

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
    return { killed: signal === 'SIGKILL' && !hangs, findings, calls };
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
    this.#tracer.remove();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The same finding of two runs reads the same. */
function nameless(key, ctx) {
  return key.replaceAll(ctx.path, 'PATH').replaceAll(ctx.name.slice(1), 'NAME');
}
