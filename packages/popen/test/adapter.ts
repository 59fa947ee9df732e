import type {
  BadInputAdapter,
  ByteStreamAdapter,
  LifecycleAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { createPipe } from '@octoipc/pipe';
import { pipeline, popen, popenSync } from '@octoipc/popen';

const mechanism = 'POPEN';
const script = new URL('./fixtures/roles.mjs', import.meta.url);

export const stream: ByteStreamAdapter = {
  name: "popen(['cat'], 'r+')",
  mechanism,
  lacks: {
    brokenPipe: 'the program between the ends learns it by its own next write',
    bounded: 'the program between the ends takes some, whenever it likes',
  },
  open() {
    const { stdin, stdout } = popen(['cat'], 'r+');
    return { reader: stdout, writer: stdin };
  },
};

/** Passes on each byte, and says on 3 that it has. */
const PASSES = `open(ACK, ">&=", 3);
  while (sysread(STDIN, $b, 1)) { syswrite(STDOUT, $b); syswrite(ACK, $b) }`;

const byteOf = (chunk: Uint8Array | null | undefined): number | undefined => chunk?.[0];

export const waits: WaitableAdapter = {
  name: 'popen().stdout.read()',
  mechanism,
  open() {
    const passed = createPipe();
    const program = popen(['perl', '-e', PASSES], 'r+', { fds: { 3: passed.writer } });
    passed.writer.close();
    const { stdin, stdout } = program;
    return {
      handle: stdout,
      wait: (options) => stdout.read({ ...options, maxBytes: 1 }).then(byteOf),
      tryTake: () => byteOf(stdout.tryRead({ maxBytes: 1 })),
      waitSync: (options) => byteOf(stdout.readSync({ ...options, maxBytes: 1 })),
      async give(token) {
        const come = passed.reader.read({ maxBytes: 1 });
        await stdin.write(Uint8Array.of(token));
        await come;
      },
      close() {
        passed.reader.close();
        void program[Symbol.asyncDispose]();
      },
    };
  },
};

export const resources: ResourcesAdapter = {
  name: 'popen()',
  mechanism,
  script,
  lacks: {
    leakWarning:
      'its 100,000 handles would be as many programs; lifecycle.test.ts has some of them',
  },
  open() {
    const { stdin, stdout } = popen(['cat'], 'r+');
    const use = async (): Promise<void> => {
      const read = stdout.read();
      await stdin.write('x');
      await read;
    };
    return { handles: [stdin, stdout], use };
  },
  failures: {
    'a program that does not exist': () => popen(['/nonexistent'], 'r+', { stderr: 'pipe' }),
    'a name that PATH does not have': () => popen(['no-such-program']),
    'a directory': () => popen(['/']),
    'a cwd that does not exist': () => popen(['true'], 'r+', { cwd: '/nonexistent' }),
    'a descriptor that is not open': () => popen(['true'], 'r', { fds: { 3: 2 ** 31 - 1 } }),
    'a limit that may not be raised': () => popen(['true'], 'r', { limits: { nofile: Infinity } }),
    'too many arguments': () => popen(['true', 'x'.repeat(200_000)], 'r+'),
    'a stage that does not exist': () => pipeline(['sleep 60', ['cat'], ['/nonexistent']]),
    'a guarded program that does not exist': () => popen(['/no'], 'r', { dieWithParent: true }),
    'a blocking program that does not exist': () => popenSync(['/nonexistent'], { input: 'x' }),
    'a program that fails': () => popen('cat >&2; exit 1', 'r+', { check: true }).close(),
  },
};

const some = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const time = (value: number): boolean => value >= 0;
const started = (options: object): unknown => popen(['true'], 'r', options).close();

export const input: BadInputAdapter = {
  name: 'popen()',
  mechanism,
  open() {
    const program = popen(['cat'], 'r+');
    const { stdin } = program;
    return {
      numbers: {
        'popen({ timeout })': { call: (timeout: never) => started({ timeout }), accepts: time },
        'popen({ killAfter })': {
          call: (killAfter: never) => started({ killAfter }),
          accepts: time,
        },
        'popen({ maxBuffer })': {
          call: (maxBuffer: never) => started({ maxBuffer }),
          accepts: some,
        },
        'popen({ nice })': {
          call: (nice: never) => started({ nice }),
          accepts: (value) => value === -1,
        },
        'popen({ limits })': {
          call: (soft: never) => started({ limits: { core: { soft, hard: Infinity } } }),
          accepts: some,
        },
        'close({ timeout })': {
          call: (timeout: never) => program.close({ timeout }),
          accepts: (value) => value >= 0,
        },
        'kill(signal, { after })': {
          call: (after: never) => program.kill('SIGURG', { after }),
          accepts: time,
        },
      },
      options: {
        'popen()': (options: never) => popen(['true'], 'r', options),
        'popen({ env })': (env: never) => popen(['true'], 'r', { env }),
        'popen({ fds })': (fds: never) => popen(['true'], 'r', { fds }),
        'popen({ limits })': (limits: never) => popen(['true'], 'r', { limits }),
        'pipeline()': (options: never) => pipeline([['true']], 'r', options),
        'popenSync()': (options: never) => popenSync(['true'], options),
        'close()': (options: never) => program.close(options),
        'write()': (options: never) => program.write('x', options),
      },
      waits: {
        'popen()': (options: never) => popen(['true'], 'r', options),
        'close()': (options: never) => program.close(options),
      },
      data: {
        'write()': (data: never) => program.write(data),
      },
      names: {
        'popen()': (command: never) => popen(command),
        'popen([file])': (file: never) => popen([file]),
        'popen({ env: { [name] } })': (name: never) =>
          popen(['true'], 'r', { env: { [String(name)]: '\0' } }),
        'pipeline([command])': (command: never) => pipeline([command]),
        'popenSync()': (command: never) => popenSync(command),
      },
      methods: [
        {
          of: program,
          names: ['pid', 'stdin', 'stdout', 'status', 'write', 'end', 'kill', 'close'],
        },
        { of: program, names: ['ref', 'unref', 'toDuplex', 'text', 'bytes', 'json'] },
        { of: program.handle, names: ['close', 'closed', 'release', 'fd', 'status'] },
      ],
      state: () => [program.status, stdin.closed],
      close: () => void program[Symbol.asyncDispose](),
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'popen()', mechanism, script };
