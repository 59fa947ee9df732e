import pico from 'picocolors';

const { env, stdout } = process;
const wanted = stdout.isTTY && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';
const forced = (env['FORCE_COLOR'] ?? '0') !== '0' && (env['NO_COLOR'] ?? '') === '';

/** Colours, on terminals only, and only if the user does not mind: https://no-color.org. */
export const color: ReturnType<typeof pico.createColors> = pico.createColors(wanted || forced);
