/** Tables for a spreadsheet: no cell is a formula, at whichever sign it splits. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { csvOf } from '../../orthanc_stl/webassets/app/shared/csv.js';

/** The server's tables are held to the same by tests/conversion/test_statistics.py. */
const TABLE = JSON.parse(readFileSync(new URL('../spreadsheet_texts.json', import.meta.url), 'utf-8'));

const quoted = (text) => (/[",\n\r;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

for (const [text, written] of TABLE) {
  test(`${JSON.stringify(text)}`, () => assert.equal(csvOf([[text, 2]]), `${quoted(written)},2\r\n`));
}

test('cells are quoted where they must be, and numbers are none', () => {
  assert.equal(csvOf([['Lung, "left"', 'a;=1', -1.5]]), '"Lung, ""left""","a;\'=1",-1.5\r\n');
});
