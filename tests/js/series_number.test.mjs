/** Numbers of new series, as the server gives them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { numberAfter } from '../../orthanc_stl/webassets/app/forms/series-number.js';

const TABLE = JSON.parse(readFileSync(new URL('../series_numbers.json', import.meta.url), 'utf-8'));

for (const { series, next } of TABLE) {
  test(`${next} follows ${JSON.stringify(series)}`, () => {
    const tags = series.map(([Modality, SeriesNumber]) => (
      SeriesNumber === null ? { Modality } : { Modality, SeriesNumber }));
    assert.equal(numberAfter(tags, ['M3D', 'OT']), next);
  });
}
