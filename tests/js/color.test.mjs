/**
 * CIELab as DICOM keeps it. The reference values are computed by hand from the CIE's formulae, D50, by PS3.3
 * C.10.7.1.1.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dicomLabToRgb, hexOf, parseDicomLab, rgbOf,
  rgbToDicomLab } from '../../orthanc_stl/webassets/app/shared/color.js';

const KNOWN = {
  '255,255,255': [100, 0, 0],
  '0,0,0': [0, 0, 0],
  '255,0,0': [54.29, 80.81, 69.89],
  '0,255,0': [87.82, -79.29, 80.99],
  '0,0,255': [29.57, 68.3, -112.03],
  '128,128,128': [53.59, 0, 0],
};

for (const [rgb, [l, a, b]] of Object.entries(KNOWN)) {
  test(`sRGB ${rgb} is L* ${l}, a* ${a}, b* ${b}`, () => {
    const [x, y, z] = rgbToDicomLab(rgb.split(',').map(Number));
    assert.ok(Math.abs((x / 65535) * 100 - l) < 0.05, `L* ${(x / 65535) * 100}`);
    assert.ok(Math.abs((y / 65535) * 255 - 128 - a) < 0.1, `a* ${(y / 65535) * 255 - 128}`);
    assert.ok(Math.abs((z / 65535) * 255 - 128 - b) < 0.1, `b* ${(z / 65535) * 255 - 128}`);
  });
}

test('every colour comes back within one step of 255', () => {
  for (let r = 0; r < 256; r += 15) {
    for (let g = 0; g < 256; g += 15) {
      for (let b = 0; b < 256; b += 15) {
        const back = dicomLabToRgb(rgbToDicomLab([r, g, b]));
        assert.ok([r, g, b].every((value, i) => Math.abs(value - back[i]) <= 1), `${[r, g, b]} became ${back}`);
      }
    }
  }
});

test('any three numbers give a colour that a screen can show', () => {
  for (const lab of [[0, 0, 0], [65535, 65535, 65535], [65535, 0, 65535], [1, 65535, 0]]) {
    assert.ok(dicomLabToRgb(lab).every((value) => Number.isInteger(value) && value >= 0 && value <= 255));
  }
});

test('the value as Orthanc gives it is read, anything else is no colour', () => {
  assert.deepEqual(parseDicomLab('34880\\53485\\50171'), [34880, 53485, 50171]);
  for (const text of ['', null, undefined, '1\\2', '1\\2\\3\\4', 'a\\b\\c', '1\\2\\70000', '-1\\2\\3', '\\\\']) {
    assert.equal(parseDicomLab(text), null);
  }
});

test('hexadecimal and back', () => {
  assert.equal(hexOf([226, 196, 10]), '#e2c40a');
  assert.deepEqual(rgbOf('#e2c40a'), [226, 196, 10]);
});
