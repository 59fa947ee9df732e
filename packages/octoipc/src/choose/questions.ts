import { createInterface, type Interface } from 'node:readline/promises';

import { KEPT_OUT, SURVIVALS, USUAL, type Need } from './need.js';

/**
 * Asks for what was not given.
 *
 * @param given - what the command line says
 * @param signal - ends the questions
 * @returns all that is needed
 */
export async function askFor(given: Partial<Need>, signal: AbortSignal): Promise<Need> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Who closes the terminal, or ends it with ^D, answers nothing more.
  const closed = new AbortController();
  terminal.once('close', () => closed.abort());
  const asking = new Questions(terminal, AbortSignal.any([signal, closed.signal]));
  try {
    const size = given.size ?? (await asking.number('Bytes of a message', USUAL.size));
    const rate = given.rate ?? (await asking.number('Messages a second', USUAL.rate));
    const processes = given.processes ?? (await asking.number('Processes that take part', 2, 2));
    const sameMachine =
      given.sameMachine ?? (await asking.yes('All on one machine', USUAL.sameMachine));
    const related =
      given.related ??
      (sameMachine && (await asking.yes('Does one of them start the others', USUAL.related)));
    const survives =
      given.survives ??
      (await asking.choice('What must messages survive on their way', SURVIVALS, USUAL.survives));
    const keepOut =
      given.keepOut ?? (await asking.choice('Who must be kept out', KEPT_OUT, USUAL.keepOut));
    return { size, rate, processes, related, sameMachine, survives, keepOut };
  } finally {
    terminal.close();
  }
}

/** Questions with an answer each that an empty line means. */
class Questions {
  readonly #terminal: Interface;
  readonly #signal: AbortSignal;

  constructor(terminal: Interface, signal: AbortSignal) {
    this.#terminal = terminal;
    this.#signal = signal;
  }

  number(question: string, usual: number, least = 1): Promise<number> {
    return this.#ask(question, String(usual), (answer) => {
      const value = /^\d{1,15}$/.test(answer) ? Number(answer) : Number.NaN;
      return value >= least ? value : undefined;
    });
  }

  yes(question: string, usual: boolean): Promise<boolean> {
    return this.#ask(`${question}, yes or no`, usual ? 'yes' : 'no', (answer) =>
      /^y(?:es)?$/i.test(answer) ? true : /^no?$/i.test(answer) ? false : undefined,
    );
  }

  choice<const T extends string>(question: string, of: readonly T[], usual: T): Promise<T> {
    return this.#ask(`${question}: ${of.join(', ')}`, usual, (answer) =>
      of.find((each) => each === answer),
    );
  }

  async #ask<T>(
    question: string,
    usual: string,
    understand: (answer: string) => T | undefined,
  ): Promise<T> {
    for (;;) {
      const text = `${question}? [${usual}] `;
      const answer = (await this.#terminal.question(text, { signal: this.#signal })).trim();
      const value = understand(answer === '' ? usual : answer);
      if (value !== undefined) return value;
    }
  }
}
