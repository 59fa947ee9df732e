import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { popen, popenSync, type Command, type ShellCommand, type Word } from '@octoipc/popen';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { codeNow } from '../../core/test/failure.js';
import { folder, lives } from './started.js';

const { sh } = popen;

/** Shells that may be there, and how each is called. */
const SHELLS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  sh: ['/bin/sh'],
  dash: ['dash'],
  bash: ['bash'],
  'bash --posix': ['bash', '--posix'],
  'busybox sh': ['busybox', 'sh'],
};

/** What shells find interesting. */
const SPECIAL = [
  '\' " \\ $ ` ! * ? [ ] { } ~ # & ; | < > ( ) = % ^ - -- $(id) ${x} \\n <<E é \u{1f600} a'.split(
    ' ',
  ),
  ['\n', '\r', ' ', '\t', '\u0001', '\u007f', "'\\''"],
].flat();

const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.constantFrom(...SPECIAL)).map((parts) => parts.join('')),
);
const words = fc.array(
  word.map((text) => text.replaceAll('\0', '')),
  { minLength: 1, maxLength: 8 },
);

/** What UTF-8 makes of a string: half a surrogate pair has no bytes of its own. */
const sent = (text: string): string => Buffer.from(text).toString();

function present([file]: readonly string[]): boolean {
  return spawnSync(file!, ['--help']).error === undefined;
}

describe.each(Object.keys(SHELLS))('popen.sh in %s', (name) => {
  const shell = SHELLS[name]!;
  test.skipIf(!present(shell))('gives every value as one word, byte for byte', () => {
    fc.assert(
      fc.property(words, (values) => {
        const line = sh`printf '%s\\0' ${values} ; printf '%s\\0' x${values[0]!}y ${values[0]!}z`;
        const command = [...shell, '-c', String(line)] as [string, ...string[]];
        const { stdout, stderr, status } = popenSync(command);
        expect([status.code, String(stderr)]).toEqual([0, '']);
        const wanted = [...values, `x${values[0]}y`, `${values[0]}z`].map(sent);
        expect(String(stdout)).toBe(wanted.map((text) => `${text}\0`).join(''));
      }),
      { numRuns: 150 },
    );
  });
});

test('popen.sh gives what popen, popenSync and pipeline take, and can be started by itself', async () => {
  const name = "it's $HOME";
  const line = sh`echo ${name} ${[1, 'two', 3n]} ${[]} ${4.5}`;
  expect(String(line)).toBe("echo 'it'\\''s $HOME' '1' 'two' '3'  '4.5'");
  const wanted = "it's $HOME 1 two 3 4.5\n";
  expect(await popen(line).text()).toBe(wanted);
  expect(await line.text()).toBe(wanted);
  expect(String(await line.bytes())).toBe(wanted);
  expect(String(popenSync(line).stdout)).toBe(wanted);
  expect(await sh`echo ${'[1]'}`.json()).toEqual([1]);
  const lines = [];
  for await (const each of sh`printf ${'a\nb\n'}`.lines()) lines.push(each);
  expect(lines).toEqual(['a', 'b']);
  expect(await sh`exit ${3}`.run()).toMatchObject({ code: 3 });
  expect(await sh`cat`.start('r+').close()).toMatchObject({ code: 0 });
  for await (const chunk of sh`echo ${1}`) expect(String(chunk)).toBe('1\n');
});

test.each([
  ['lines()', (line: ShellCommand) => line.lines()],
  ['iteration', (line: ShellCommand) => line],
])(
  'popen.sh: who leaves the loop of %s ends the program, which nobody else can reach',
  async (_, of) => {
    let pid = 0;
    for await (const said of of(sh`echo $$; exec yes`)) {
      pid = Number.parseInt(String(said), 10);
      break;
    }
    expect(pid).toBeGreaterThan(0);
    expect(lives(pid)).toBe(false);
  },
);

test.each([
  ['single quotes', () => sh`echo '${'x'}'`],
  ['double quotes', () => sh`echo "${'x'}"`],
  ['backquotes', () => sh`echo \`echo ${'x'}\``],
  ['a comment', () => sh`echo # ${'x\nid'}`],
  ['a here-document', () => sh`cat <<E\n${'$(id)'}\nE\n`],
  ['arithmetic', () => sh`echo $((1 + ${'a[$(id)]'}))`],
  ['arithmetic with brackets', () => sh`echo $((1 + ((2)) + ${'$(id)'}))`],
  ['arithmetic with a command', () => sh`echo $((1 + $(echo '))') + ${'$(id)'}))`],
  ['what bash takes for arithmetic', () => sh`((a = ${'$(id)'}))`],
  ['what bash took for arithmetic', () => sh`echo $[1 + ${'$(id)'}]`],
  ['an offset', () => sh`echo \${x:${'$(id)'}}`],
  ['an index', () => sh`echo \${x[${'$(id)'}]}`],
  ['a comment behind a redirection', () => sh`echo >#${'x\nid'}`],
  ['the place behind a backslash', () => sh`echo \\${'x'}`],
  ['the place behind a dollar sign', () => sh`echo $${'x\\n'}`],
  ['what only some shells take for quotes', () => sh`echo $'\\'${'; id'}`],
  ['quotes that a value before does not close', () => sh`echo ${'a'}"b ${'c'}"`],
  ['a command in double quotes', () => sh`echo "$(echo ${'x'})"`],
  ['quotes in a command in double quotes', () => sh`echo "$(echo "${'$(id)'}")"`],
  ['quotes in two commands in double quotes', () => sh`echo "$(a "$(b "${'$(id)'}")")"`],
  ['quotes in backquotes in double quotes', () => sh`echo "\`echo "${'$(id)'}"\`"`],
  ['quotes in a default value in double quotes', () => sh`echo "\${x:-"${'$(id)'}"}"`],
  ['a default value in double quotes', () => sh`echo "\${x:-$(echo "${'$(id)'}")}"`],
  ['double quotes with quotes in a pattern', () => sh`echo "\${x#'"'} it's ${'$(id)'}"`],
  ['double quotes behind a case', () => sh`echo "$(case a in a) echo ")";; esac) ${'$(id)'}"`],
  [
    'double quotes behind a comment',
    () => sh`echo "$(true # "
) ${'$(id)'}"`,
  ],
  ['double quotes behind a parenthesis in quotes', () => sh`echo "$(echo ")") ${'$(id)'}"`],
])('popen.sh refuses a value within %s', (_, make) => {
  expect(codeNow(make)).toBe('ERR_INVALID_ARG_VALUE');
});

test('popen.sh takes values behind what only looks like quotes, comments and the like', async () => {
  const line = sh`echo 'it' "is" \\' a#b $(echo ${'x y'}) $((1+1)) # not '
    echo ${'z'} $HOME/${'w'}`;
  const text = await line.text({ env: { HOME: '/h' } });
  expect(text).toBe("it is ' a#b x y 2\nz /h/w\n");
  const closed = sh`echo $((1+(2*(3)))) $(($(echo '4)'|tr -d ')')+1)) \${nothing:-${'d e'}} ${'f'}`;
  expect(await closed.text()).toBe('7 5 d e f\n');
  const nested = sh`echo "$(echo "a  b")" ${'c  d'} "$(echo "$((1+1))" ')')" "\`echo x\`" "\${nothing:-e}" ${'f'} "$(true # it's
    )" "$(case_1=; (echo g))" ${'h'}`;
  expect(await nested.text()).toBe('a  b c  d 2 ) x e f  g h\n');
});

test('popen.sh refuses values that are no words, and NUL bytes', () => {
  for (const value of [undefined, null, {}, true, Symbol('x'), [undefined], [['x']]]) {
    expect(codeNow(() => sh`echo ${value as Word}`)).toBe('ERR_INVALID_ARG_TYPE');
  }
  expect(codeNow(() => sh`echo ${'a\0b'}`)).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(() => sh`echo ${['a', 'b\0']}`)).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(() => popen(sh`${''}` as Command, 'r', { cwd: '' }))).toBe(
    'ERR_INVALID_ARG_VALUE',
  );
});

test('popen.sh refuses a template whose escape sequence JavaScript does not know', () => {
  expect(codeNow(() => sh`echo \u ${'x'}`)).toBe('ERR_INVALID_ARG_VALUE');
});

test('popen.sh: a file name from anywhere does nothing but name a file', async () => {
  const path = join(folder(), "$(touch pwned)'; touch pwned; '`touch pwned`\n-rf");
  symlinkSync('/dev/null', path);
  expect(await sh`ls -d -- ${path} | wc -l`.text({ cwd: folder() })).toMatch(/^\s*[12]\n$/);
  expect(existsSync('pwned')).toBe(false);
});

test('popen.sh refuses to be called without a template', () => {
  for (const wrong of [undefined, null, {}, 'ls', 5]) {
    expect(codeNow(() => sh(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
  }
});

/** What command lines are made of that play with quotes, and how what is open may be closed. */
const WORDS =
  `" ' \` $( \${x:- \${x# } ) ( $(( )) \\ # | a ;;esac echo\t $(echo\t" ") "$( )" "\${x:-`.split(
    ' ',
  );
const OPENINGS = ['"$(echo "', '"`echo "', '"${x:-"', '"$(echo '];
const PIECES = fc.constantFrom(...WORDS, ...OPENINGS, ' ', '\n', '; ', 'case a in a) ');
const CLOSING = fc.constantFrom('', '"', ')"', '")"', "'", '`', '`"', '"`"', '}"', '"}"', '")")"');

test.each([['/bin/sh'], ['bash']])(
  'popen.sh: in a place that is not refused a value is never a command of %s, whatever stands around it',
  (shell) => {
    if (!present([shell])) return console.log(`${shell} is not installed`);
    const path = join(folder(), 'pwned');
    const value = `$(: > ${path})'\`: > ${path}\``;
    fc.assert(
      fc.property(fc.array(PIECES, { maxLength: 12 }), CLOSING, (pieces, after) => {
        const parts = [pieces.join(''), after];
        let line: ShellCommand;
        try {
          line = sh(Object.assign(parts, { raw: parts }), value);
        } catch {
          return;
        }
        popenSync([shell, '-c', String(line)], { stderr: 'ignore', timeout: 10_000 });
        expect({ parts, pwned: existsSync(path) }).toEqual({ parts, pwned: false });
      }),
      { numRuns: 400 },
    );
  },
  60_000,
);
