/** Numbers in words, the same way on every page. */

/** @param {number} value @returns {string} with thousands separators */
export const count = (value) => Math.round(value).toLocaleString('en');

/** @param {number} value @param {number} digits significant digits below 100 @returns {string} */
function rounded(value, digits = 3) {
  const size = Math.abs(value);
  if (size >= 100) return count(value);
  if (size < 1e-6) return '0'; // what rounding leaves of nothing
  return String(Number(value.toPrecision(digits)));
}

/** @param {number} mm @returns {string} a length, "12.3 mm"; of what is tiny the digits that count */
export const length = (mm) => `${mm > 0 && mm < 0.1 ? rounded(mm) : mm.toFixed(mm < 10 ? 2 : 1)} mm`;

/** @param {number[]} mm three lengths @returns {string} "98 × 87.2 × 112 mm" */
export const size = (mm) => `${mm.map((value) => rounded(value)).join(' × ')} mm`;

/** @param {number} mm3 @returns {string} a volume: mL, or mm³ where mL would be a row of zeros */
export const volume = (mm3) => (Math.abs(mm3) >= 100 ? `${rounded(mm3 / 1000)} mL` : `${rounded(mm3)} mm³`);

/** @param {number} bytes @returns {string} */
export function bytes(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  const [unit, name] = bytes < 1e6 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${rounded(bytes / unit)} ${name}`;
}

/** @param {string} text a DICOM date, YYYYMMDD @returns {string} YYYY-MM-DD, or the text as it came */
export const date = (text) => (/^\d{8}$/.test(text) ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`
  : text);

/**
 * @param {string} text a DICOM person name
 * @returns {string} "Doe, Jane": only the alphabetic group, carets as commas and blanks
 */
export function person(text) {
  const [family, ...given] = text.split('=')[0].split('^').map((part) => part.trim());
  const rest = given.filter(Boolean).join(' ');
  return rest ? `${family}, ${rest}` : family;
}

const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i; // of Windows: no file can have such a name

/** @param {string} text @returns {string} what is readable, and safe on every system, as a file name without suffix */
export function fileName(text) {
  const plain = text.normalize('NFC').replace(/[^\p{L}\p{M}\p{N} ._-]+/gu, ' ').replace(/\s+/g, ' ');
  const name = [...plain].slice(0, 60).join('').replace(/^[. ]+|[. ]+$/g, '') || 'model';
  return DEVICE.test(name) ? `_${name}` : name;
}
