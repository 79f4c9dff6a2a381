/**
 * Fetches pieces of image volumes and unpacks them, away from the page.
 *
 * In: {id, url, headers, columns, rows}. Out: {id, values: Int16Array} or {id, failure: {status, body}}.
 */

/**
 * The inverse of `packed` in orthanc_stl/conversion/images.py: low bytes, then high bytes, of each value's difference
 * from the mean of its left and upper neighbour, folded so that small ones are small.
 * @param {Uint8Array} bytes @param {number} columns @param {number} rows @returns {Int16Array}
 */
export function unpacked(bytes, columns, rows) {
  const count = bytes.length >> 1;
  const out = new Int16Array(count);
  for (let slice = 0; slice < count; slice += columns * rows) {
    for (let row = 0; row < rows; row++) {
      const begin = slice + row * columns;
      for (let column = 0; column < columns; column++) {
        const at = begin + column;
        const folded = bytes[at] | (bytes[count + at] << 8);
        const left = column ? out[at - 1] : 0, upper = row ? out[at - columns] : 0;
        out[at] = ((folded >> 1) ^ -(folded & 1)) + (row && column ? (left + upper) >> 1 : left + upper);
      }
    }
  }
  return out;
}

onmessage = async ({ data: { id, url, headers, columns, rows } }) => {
  const post = (/** @type {any} */ message, /** @type {Transferable[]} */ transfer = []) =>
    /** @type {any} */ (globalThis).postMessage(message, transfer);
  try {
    const response = await fetch(url, { headers });
    if (!response.ok) {
      post({ id, failure: { status: response.status, body: await response.text() } });
      return;
    }
    const values = unpacked(new Uint8Array(await response.arrayBuffer()), columns, rows);
    post({ id, values }, [values.buffer]);
  } catch {
    post({ id, failure: { status: 0, body: '' } });
  }
};
