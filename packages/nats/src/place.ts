import { typeError, valueError } from '@octoipc/core/kit';

/** Where a channel is: a server, a subject, and who asks. */
export interface Place {
  /** The host and its port, as the client library takes them. */
  readonly server: string;
  readonly subject: string;
  readonly jetstream: boolean;
  readonly user: string | undefined;
  readonly pass: string | undefined;
  /** How errors name it: the URL without its password. */
  readonly target: string;
}

const URL_FORM =
  /^(nats|nats\+jetstream):\/\/(?:([^\s@/:]+)(?::([^\s@/]*))?@)?(\[[0-9a-f:.%]+\]|[^\s:/?#[\]@]+)(?::(\d+))?\/(.*)$/i;

const DEFAULT_PORT = 4222;

/**
 * The parts of `nats://[user[:password]@]host[:port]/subject`.
 *
 * @param url - as the caller gave it
 * @param receives - whether the subject may have wildcards: `*` for one token, `>` for all that follow
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is no such URL
 */
export function parsePlace(url: unknown, receives: boolean): Place {
  if (typeof url !== 'string') throw typeError('url', 'a string', url);
  const form = URL_FORM.exec(url);
  if (form === null) throw bad(withoutCredentials(url), 'must have a host and a subject');
  const [, scheme, user, pass, host, port = String(DEFAULT_PORT), subject] = form;
  if (Number(port) < 1 || Number(port) > 65_535) throw bad(shown(url), 'has no port of 1 to 65535');
  checkSubject(shown(url), subject!, receives);
  return {
    server: `${host}:${port}`,
    subject: subject!,
    jetstream: scheme!.toLowerCase() !== 'nats',
    user: user === undefined ? undefined : decoded(shown(url), user),
    pass: pass === undefined ? undefined : decoded(shown(url), pass),
    target: shown(url),
  };
}

function checkSubject(url: string, subject: string, receives: boolean): void {
  const tokens = subject.split('.');
  if (/[\s\0]/.test(subject) || tokens.some((token) => token === '')) {
    throw bad(url, 'has a subject that is not words with dots between');
  }
  const wild = tokens.some((token) => token === '*' || token === '>');
  if (wild && !receives)
    throw bad(url, 'has a subject with wildcards, which nothing can be sent to');
  if (tokens.slice(0, -1).includes('>')) throw bad(url, 'has a > before the end of its subject');
}

function decoded(url: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw bad(url, 'has a user or password that is not percent-encoded');
  }
}

/** What may be printed of a URL that is none: nothing before its last @, whatever was meant to be where. */
function withoutCredentials(url: string): string {
  return url.replace(/^([^:/]*:\/\/)?.*@/s, '$1');
}

/** What may be printed: credentials may not. */
function shown(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^@/]*@/i, '$1');
}

function bad(url: string, reason: string): Error {
  return valueError('url', `${reason}, as in 'nats://127.0.0.1:4222/jobs'`, url);
}
