import Table from 'cli-table3';

import { advise, type Advice, type Candidate } from '../choose/advice.js';
import { MECHANISMS } from '../choose/candidates.js';
import { measure, type Patience } from '../choose/measure.js';
import { USUAL, type Need } from '../choose/need.js';
import { askFor } from '../choose/questions.js';
import { excluded } from '../choose/requirements.js';
import { snippetsFor, type Snippets } from '../choose/snippets.js';
import { LINELESS } from '../tour/report.js';
import { color } from './colors.js';
import { interruption } from './process.js';
import { STATUS } from './status.js';
import { reasonOf } from './verb.js';

/** What `octoipc choose` takes. */
export interface ChooseOptions extends Partial<Omit<Need, 'survives'>> {
  /** The file of the command. */
  readonly program: string;
  readonly json?: boolean;
  readonly quick?: boolean;
  readonly usual?: boolean;
  readonly survive?: Need['survives'];
}

const USUAL_PATIENCE: Patience = { warm: 150, trips: 200, stream: 400 };
const QUICK: Patience = { warm: 30, trips: 50, stream: 80 };

/**
 * The verb `choose`.
 *
 * @param options - of the command line
 * @returns the exit status
 */
export async function choose(options: ChooseOptions): Promise<number> {
  const { json = false, program } = options;
  using interrupted = interruption();
  const { signal } = interrupted;
  try {
    const need = await needOf(options, signal);
    const patience = options.quick === true ? QUICK : USUAL_PATIENCE;
    const reasons = excluded(need);
    const candidates: Candidate[] = [];
    for (const mechanism of MECHANISMS) {
      const reason = reasons.get(mechanism);
      if (!json && reason === undefined && process.stderr.isTTY) {
        process.stderr.write(`\r\u001b[2Kmeasuring ${mechanism} …`);
      }
      candidates.push(
        reason === undefined
          ? await measured(mechanism, need, { program, patience, signal })
          : { mechanism, measured: null, excluded: reason },
      );
    }
    if (!json && process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
    const advice = advise(need, candidates);
    const snippets = snippetsFor(advice.recommended, need);
    process.stdout.write(
      json
        ? `${JSON.stringify({ need, candidates, ...advice, code: snippets }, null, 2)}\n`
        : text(candidates, advice, snippets),
    );
    return STATUS.ok;
  } catch (error) {
    if (interrupted.status !== undefined) return interrupted.status;
    if ((error as { code?: unknown }).code === 'ABORT_ERR') {
      process.stderr.write(
        '\noctoipc choose: not everything was answered (--usual asks nothing)\n',
      );
      return STATUS.failed;
    }
    throw error;
  }
}

/** What is not given is asked on a terminal, and as usual elsewhere. */
async function needOf(options: ChooseOptions, signal: AbortSignal): Promise<Need> {
  const { size, rate, processes, related, sameMachine, survive, keepOut } = options;
  const given = Object.fromEntries(
    Object.entries({
      size,
      rate,
      processes,
      related,
      sameMachine,
      survives: survive,
      keepOut,
    }).filter(([, value]) => value !== undefined),
  ) as Partial<Need>;
  const asks = options.usual !== true && options.json !== true && process.stdin.isTTY;
  return asks ? await askFor(given, signal) : { ...USUAL, ...given };
}

async function measured(
  mechanism: Candidate['mechanism'],
  need: Need,
  options: Parameters<typeof measure>[2],
): Promise<Candidate> {
  try {
    return { mechanism, measured: await measure(mechanism, need.size, options), excluded: null };
  } catch (error) {
    options.signal.throwIfAborted();
    return { mechanism, measured: null, excluded: `could not be measured: ${reasonOf(error)}` };
  }
}

function text(candidates: readonly Candidate[], advice: Advice, snippets: Snippets): string {
  const rows = new Table({
    head: ['mechanism', 'answer after', '99 %', 'messages/s', 'MB/s', ''].map(color.bold),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: LINELESS,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const { mechanism, measured: figures, excluded: reason } of candidates) {
    const chosen = mechanism === advice.recommended ? color.green('recommended') : '';
    rows.push(
      figures === null
        ? [color.dim(mechanism), '–', '–', '–', '–', color.dim(reason ?? '')]
        : [
            color.cyan(mechanism),
            `${figures.roundTrip} µs`,
            `${figures.roundTrip99} µs`,
            figures.messagesPerSecond.toLocaleString('en-US'),
            figures.megabytesPerSecond.toLocaleString('en-US'),
            chosen,
          ],
    );
  }
  return `${rows.toString().replaceAll(/ +$/gm, '')}

${color.bold(`Use ${advice.recommended}`)}: ${advice.reason}
${advice.textbook}

${color.dim('// who receives')}
${snippets.receiver}
${color.dim('// who sends')}
${snippets.sender}`;
}
