/** Tables for a spreadsheet. */

/** What a spreadsheet would take for a formula begins with an apostrophe. @param {string | number} value */
function cell(value) {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {(string | number)[][]} rows @returns {string} RFC 4180 */
export const csvOf = (rows) => `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
