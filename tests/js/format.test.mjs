/** Numbers and names in words. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, date, fileName, length, person, size, volume } from '../../orthanc_stl/webassets/app/shared/format.js';

const CASES = [
  [length(58), '58.0 mm'], [length(3.14159), '3.14 mm'], [length(123.456), '123.5 mm'], [length(0.0021), '0.0021 mm'],
  [length(0), '0.00 mm'],
  [size([98.4, 87.23, 112.9]), '98.4 × 87.2 × 113 mm'], [size([0.001234, 0, 1]), '0.00123 × 0 × 1 mm'],
  [volume(632179.4), '632 mL'], [volume(71333), '71.3 mL'], [volume(12.345), '12.3 mm³'], [volume(2251000), '2,251 mL'],
  [volume(2.33e-13), '0 mm³'], [volume(0.000012), '0.000012 mm³'],
  [bytes(512), '512 bytes'], [bytes(21700), '21.7 kB'], [bytes(250e6), '250 MB'], [bytes(3.2e9), '3.2 GB'],
  [date('20260102'), '2026-01-02'], [date(''), ''], [date('2026'), '2026'],
  [person('Doe^Jane^M'), 'Doe, Jane M'], [person('Yamada^Tarou=山田^太郎'), 'Yamada, Tarou'], [person('Single'), 'Single'],
  [person(''), ''],
  [fileName('PTV 60/Gy: <boost>'), 'PTV 60 Gy boost'], [fileName('../../etc'), 'etc'], [fileName(' . '), 'model'],
  [fileName('con'), '_con'], [fileName('COM1.tumour'), '_COM1.tumour'], [fileName('Console'), 'Console'],
  [fileName('Liver. .'), 'Liver'], [fileName('𠀀'.repeat(90)), '𠀀'.repeat(60)],
];

for (const [found, expected] of CASES) test(`“${expected}”`, () => assert.equal(found, expected));
