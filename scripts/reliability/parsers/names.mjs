// Names, URLs and command lines, which come from anywhere, and what is shown of them.
import { spawnSync } from 'node:child_process';

import { parsePlace } from '../../../packages/nats/src/place.ts';
import { receiverOf, senderOf } from '../../../packages/octoipc/src/channels/open.ts';
import { printable } from '../../../packages/octoipc/src/command/printable.ts';
import {
  AddressError,
  decodeName,
  encodeName,
  parseAddress,
} from '../../../packages/octoipc/src/objects/address.ts';
import { quotedLine } from '../../../packages/popen/src/quote.ts';
import { parseAddress as parseSocketAddress } from '../../../packages/socket/src/address.ts';
import { attempt, must, typed } from './checking.mjs';
import { Reached } from './fake-mechanisms.mjs';

/** Shells are asked now and then, and whenever something new was reached. */
let asked = 0;

function shellQuoting(bytes, isNew) {
  const [before = '', ...words] = bytes.toString('utf8').replaceAll('\0', '').split('\u001f');
  const literals = ["printf '%s\\0' ", ...words.map(() => ' ')];
  const line = attempt(() => quotedLine(literals, words));
  attempt(() => quotedLine([before, before.slice(1), 'x'], words.slice(0, 2)));
  if (line === undefined || words.length === 0 || (!isNew && (asked += 1) % 200 !== 0)) return;
  const { stdout, error } = spawnSync('/bin/sh', ['-c', line], { env: {} });
  if (error !== undefined) return;
  const wanted = words.map((word) => `${word}\0`).join('');
  must(stdout.equals(Buffer.from(wanted)), 'a quoted word reaches the program as it is');
}

function names(bytes) {
  const given = bytes.toString('utf8');
  attempt(() => parseAddress(given), AddressError);
  attempt(() => parseSocketAddress(given));
  const name = given.replaceAll('\ufffd', '');
  must(decodeName(encodeName(name)) === name, 'a name in a URL comes back as it was');
  // oxlint-disable-next-line no-control-regex
  must(
    !/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(
      printable(given),
    ),
    'nothing unseen reaches a terminal',
  );
  must(
    !/[\ud800-\udfff]/.test(
      printable(bytes.toString('utf16le')).replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ''),
    ),
    'no half of a pair reaches a terminal',
  );
}

/** Stands for a password in URLs. */
const SECRET = 'hunter2';

/** Whether a URL has the secret, once, before the @ of its host. */
function hasSecret(url) {
  return url.split(SECRET).length === 2 && /^[^:/]*:\/\/[^/]*hunter2[^/]*@/.test(url);
}

function natsUrls(bytes) {
  const url = bytes.toString('utf8');
  for (const receives of [false, true]) {
    try {
      const { server, subject, target } = parsePlace(url, receives);
      must(!/[\s\0]/.test(subject) && subject !== '', 'a subject is words');
      must(/^[^\s/@]+:\d+$/.test(server), 'a server has a host and a port');
      must(receives || !/(^|\.)[*>](\.|$)/.test(subject), 'nothing is sent to a wildcard');
      must(!hasSecret(url) || !target.includes(SECRET), 'no target has a password');
    } catch (error) {
      typed(error);
      must(!hasSecret(url) || !error.message.includes(SECRET), 'no message has a password');
    }
  }
}

/** What the parts of a URL must be, before anything is opened with them. */
const PARTS = {
  descriptor: (fd) => Number.isInteger(fd) && fd >= 0 && fd <= 0x7fff_ffff,
  path: (path) => path !== '' && !path.includes('\0') && !path.startsWith('//'),
  name: (name) => /^\/[^/\0]+$/.test(name) && name !== '/.' && name !== '/..',
  key: (key) => Number.isInteger(key) && key > 0 && key <= 0xffff_ffff,
  id: (id) => Number.isInteger(id) && id >= 0 && id <= 0x7fff_ffff,
  command: (command) => command.trim() !== '' && !command.includes('\0'),
  nats: () => true,
  address(address) {
    attempt(() => parseSocketAddress(address));
    return true;
  },
};

async function channelUrls(bytes) {
  const url = bytes.toString('utf8');
  for (const open of [senderOf, receiverOf]) {
    try {
      await open(url);
    } catch (error) {
      if (error instanceof Reached) {
        const [part] = error.given;
        must(PARTS[error.what]?.(part) === true, `the ${error.what} of a URL is one`);
        continue;
      }
      typed(error);
      must(!hasSecret(url) || !error.message.includes(SECRET), 'no message has a password');
    }
  }
}

export const NAMES = {
  'names and URLs': {
    mechanism: 'octoipc',
    check: names,
    seeds: [
      'mq:/x',
      'sysv-mq:id=5',
      'sysv-sem:0x12',
      'fifo:/a%20b',
      'unix:@x',
      'tcp://[::1]:80',
      'tls://host:1',
    ].map((each) => Buffer.from(each)),
  },
  'URLs of NATS': {
    mechanism: 'nats',
    check: natsUrls,
    seeds: [
      'nats://127.0.0.1:4222/jobs.urgent',
      'nats+jetstream://me:hunter2@[::1]/jobs.>',
      'nats://me%20:hunter2%40@host:70000/*',
    ].map((each) => Buffer.from(each)),
  },
  'URLs of channels': {
    mechanism: 'octoipc',
    check: channelUrls,
    seeds: [
      'pipe:3',
      'fifo:/run/jobs',
      'mq:/jobs',
      'sysv-mq:0x1234',
      'sysv-mq:id=5',
      'shm:/ring',
      'unix:@x',
      'unix+seqpacket:/run/x',
      'unix+dgram:/run/x',
      'tcp://me:hunter2@[::1]:80/',
      'tcp://127.0.0.1:7000',
      'popen:gzip -dc x',
      'nats://me:hunter2@127.0.0.1/jobs',
    ].map((each) => Buffer.from(each)),
  },
  'shell quoting': {
    mechanism: 'popen',
    check: shellQuoting,
    seeds: ["echo \u001fa'b", 'x"\u001f$(id)\u001f`', '<<E\u001f\n', '$((1 \u001f#'].map((each) =>
      Buffer.from(each),
    ),
  },
};
