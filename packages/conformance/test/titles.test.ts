import assert from 'node:assert/strict';

import { test } from 'vitest';

import { lacking, runSuite, suites, titleOf } from '../src/suites.js';
import { channel, stream } from './subjects/adapters.js';

const promise = 'read() gives null, when the writer closed';

test('titleOf() puts the ids of the mechanism and those that bind all before the promise', () => {
  const ids = 'PIPE-007 FIFO-014 BIND-008';
  assert.equal(
    titleOf({ name: 'x', mechanism: 'PIPE' }, ids, promise),
    `PIPE-007 BIND-008: ${promise}`,
  );
  assert.equal(
    titleOf({ name: 'x', mechanism: ['FIFO', 'PIPE'] }, ids, promise),
    `PIPE-007 FIFO-014 BIND-008: ${promise}`,
  );
});

test('titleOf() takes a prefix as a whole, and leaves out the colon where there is no id', () => {
  assert.equal(titleOf({ name: 'x', mechanism: 'SEM' }, 'SVSEM-001', promise), promise);
  assert.equal(titleOf({ name: 'x', mechanism: 'MINE' }, '', promise), promise);
});

test('lacking() gives the reasons for the traits that a case needs, and no others', () => {
  const adapter = { ...stream, lacks: { end: 'it has no end', sync: 'it cannot block' } };
  assert.equal(lacking(adapter, ['end', 'sync']), 'it has no end; it cannot block');
  assert.equal(lacking(adapter, ['bounded']), undefined);
  assert.equal(lacking(stream, ['end']), undefined);
});

test('runSuite() reports what does not apply as such, with the reason', async () => {
  const adapter = { ...channel, lacks: { priorities: 'it keeps the order' } };
  const reports = await runSuite(suites.messageChannel, adapter, {
    only: ['priorities', 'string'],
  });
  assert.deepEqual(reports, [
    { key: 'string', status: 'passed' },
    { key: 'priorities', status: 'not applicable', reason: 'it keeps the order' },
  ]);
});

test('every suite has cases with keys of their own, and ids of the known form', () => {
  for (const { trait, cases } of Object.values(suites)) {
    const keys = new Set(cases.map(({ key }) => key));
    assert.equal(keys.size, cases.length, trait);
    for (const { ids, key } of cases) assert.match(ids, /^$|^[A-Z]+-\d{3}( [A-Z]+-\d{3})*$/, key);
  }
});
