/** Tables for a spreadsheet: no cell is a formula, at whichever sign it splits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvOf } from '../../orthanc_stl/webassets/app/shared/csv.js';

const CASES = [
  ['=1', "'=1"], ['+1', "'+1"], ['-1', "'-1"], ['@x', "'@x"], ['\t=1', "'\t=1"],
  ['\uff1d1', "'\uff1d1"], [' =1', "' =1"],
  ['a;=1', "\"a;'=1\""], ['a; \uff0b1', "\"a;' \uff0b1\""], ['a=1', 'a=1'],
  ['Lung, "left"', '"Lung, ""left"""'], [-1.5, '-1.5'],
];

for (const [value, written] of CASES) {
  test(`${JSON.stringify(value)}`, () => assert.equal(csvOf([[value, 2]]), `${written},2\r\n`));
}
