/** Tables for a spreadsheet. */

// As orthanc_stl/spreadsheet.py has it (tests/spreadsheet_texts.json): a cell may begin after a semicolon, too.
const FORMULA = /(^|;)(?=[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/g;

/** What a spreadsheet would take for a formula begins with an apostrophe. @param {string | number} value */
function cell(value) {
  const text = typeof value === 'string' ? value.replace(FORMULA, "$1'") : String(value);
  return /[",\n\r;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {(string | number)[][]} rows @returns {string} RFC 4180 */
export const csvOf = (rows) => `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
