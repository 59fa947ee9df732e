// A row of a table for each thing that was tried, told as it comes; what failed shows what it printed.
import { capture, SKIPPED } from './run.mjs';

/** Names are short; a sentence in a table's column is not wrapped. */
const WIDTH = 44;

/** The steps of one program, and how they went. */
export class Steps {
  #rows = [];

  /** Rows so far: `{ group, title, verdict, remark, seconds }`. */
  get rows() {
    return this.#rows;
  }

  get failed() {
    return this.#rows.filter(({ verdict }) => verdict === 'failed').length;
  }

  /**
   * Runs an action; what it returns is the remark, what it throws is the fault, and
   * {@link NotApplicable} the reason why it cannot be done here.
   */
  async run(group, title, action) {
    const start = performance.now();
    const row = { group, title, verdict: 'passed', remark: '', seconds: 0 };
    let said = '';
    try {
      row.remark = String((await action()) ?? '');
    } catch (error) {
      row.verdict = error instanceof NotApplicable ? 'skipped' : 'failed';
      row.remark = error.message.split('\n')[0];
      if (row.verdict === 'failed') said = error.message;
    }
    row.seconds = (performance.now() - start) / 1000;
    this.#rows.push(row);
    console.log(
      [
        row.verdict.padEnd(8),
        group.padEnd(14),
        title.padEnd(WIDTH),
        `${row.seconds.toFixed(1).padStart(6)} s`,
        row.remark,
      ]
        .join(' ')
        .trimEnd(),
    );
    if (said !== '') console.log(said.trimEnd().replaceAll(/^/gm, '    '));
    return row.verdict === 'passed';
  }
}

/** Why something cannot be tried here. */
export class NotApplicable extends Error {}

/**
 * Runs a program and returns what it printed on stdout; throws all that it printed unless it ended well
 * and in time.
 */
export async function must(file, args, options = {}) {
  const { status, output, stdout, timedOut } = await capture(file, args, {
    timeout: 120_000,
    ...options,
  });
  const command = [file, ...args].join(' ').slice(0, 300);
  if (timedOut) throw new Error(`not over in time: ${command}\n${output}`);
  if (status === SKIPPED) throw new NotApplicable(output.trimEnd().split('\n').at(-1));
  if (status !== 0) throw new Error(`status ${status}: ${command}\n${output}`);
  return stdout;
}
