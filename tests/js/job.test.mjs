/** What pages say of a job while it runs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

globalThis.location = new URL('http://server/?lang=en');
const { stepOf } = await import('../../orthanc_stl/webassets/app/shared/job.js');

test('a set names the structures that it is at', () => {
  const job = {
    Step: 'smoothing the surface (2 of 4 done: Lung (left), Heart)',
    Parts: { Count: 4, Done: 2, AtWork: ['Lung (left)', 'Heart'] },
  };
  assert.equal(stepOf(job), 'smoothing the surface (2 of 4 done: Lung (left), Heart)');
  assert.equal(stepOf({ Step: 'smoothing the surface (0 of 4 done)', Parts: { Count: 4, Done: 0, AtWork: [] } }),
    'smoothing the surface (0 of 4 done)');
});

test('one model says its step', () => {
  assert.equal(stepOf({ Step: 'finding the planes' }), 'finding the planes');
  assert.equal(stepOf({}), 'working');
});
