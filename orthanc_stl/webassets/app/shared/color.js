/**
 * Colours as DICOM keeps them: CIELab with the D50 white of the ICC profile connection space, as three 16-bit
 * numbers (PS3.3 C.10.7.1.1): L* 0..100 on 0..65535, a* and b* -128..127 on 0..65535.
 */

const WHITE = [0.9642, 1.0, 0.8249]; // D50

// sRGB (linear) to XYZ, adapted to D50 by Bradford, and back (the ICC's sRGB profile).
const TO_XYZ = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
  [0.0139322, 0.0971045, 0.7141733]];
const FROM_XYZ = [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427]];

/** @type {(matrix: number[][], vector: number[]) => number[]} */
const times = (matrix, vector) => matrix.map((row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]);
/** @type {(value: number, low: number, high: number) => number} */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @type {(value: number) => number} */
const toLinear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
/** @type {(value: number) => number} */
const fromLinear = (value) => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);

const CUBE = 216 / 24389;
const KAPPA = 24389 / 27;
/** @type {(value: number) => number} */
const toF = (value) => (value > CUBE ? Math.cbrt(value) : (KAPPA * value + 16) / 116);
/** @type {(value: number) => number} */
const fromF = (value) => (value ** 3 > CUBE ? value ** 3 : (116 * value - 16) / KAPPA);

/** @param {number[]} rgb 0..255 each (sRGB) @returns {number[]} the three 16-bit numbers of DICOM */
export function rgbToDicomLab(rgb) {
  const [x, y, z] = times(TO_XYZ, rgb.map((value) => toLinear(value / 255))).map((value, i) => toF(value / WHITE[i]));
  const lab = [(116 * y - 16) / 100, (500 * (x - y) + 128) / 255, (200 * (y - z) + 128) / 255];
  return lab.map((value) => Math.round(clamp(value, 0, 1) * 65535));
}

/** @param {number[]} lab the three 16-bit numbers of DICOM @returns {number[]} 0..255 each (sRGB) */
export function dicomLabToRgb(lab) {
  const lightness = (lab[0] / 65535) * 100, a = (lab[1] / 65535) * 255 - 128, b = (lab[2] / 65535) * 255 - 128;
  const y = (lightness + 16) / 116;
  const xyz = [y + a / 500, y, y - b / 200].map((value, i) => fromF(value) * WHITE[i]);
  return times(FROM_XYZ, xyz).map((value) => Math.round(clamp(fromLinear(clamp(value, 0, 1)), 0, 1) * 255));
}

/**
 * @param {unknown} text the value of RecommendedDisplayCIELabValue as Orthanc gives it ("1\\2\\3")
 * @returns {number[] | null}
 */
export function parseDicomLab(text) {
  const numbers = String(text ?? '').split('\\').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const good = numbers.length === 3 && numbers.every((value) => Number.isInteger(value) && value >= 0
    && value <= 65535);
  return good ? numbers : null;
}

/** @param {number[]} rgb 0..255 @returns {string} "#rrggbb" */
export const hexOf = (rgb) => `#${rgb.map((value) => value.toString(16).padStart(2, '0')).join('')}`;

/** @param {string} hex "#rrggbb" @returns {number[]} 0..255 */
export const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** What is offered first as the colour of a file that is attached: near to bone. */
export const DEFAULT_RGB = [226, 196, 164];

/** The palette for parts without a colour: the same as the server's, by number. @type {number[][]} */
const PALETTE = [
  [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167],
  [148, 103, 189], [140, 86, 75], [127, 127, 127], [188, 189, 34], [23, 190, 207],
];

/** @param {number} number @returns {number[]} 0..255 */
export const paletteColor = (number) => [...PALETTE[Math.abs(number) % PALETTE.length]];
