/**
 * Looks into a file that shall be attached, away from the page: is it an STL, how large, text or binary.
 *
 * In: {file}, then perhaps {convert: {scale, header}}. Out: {facts} or {failure}, then {stl}.
 */

import { measureOf, NotStl, readStl, writeBinary } from '../shared/stl.js';

/** @type {Float32Array | null} */
let corners = null;

/** @param {File} file */
async function check(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const read = readStl(bytes);
  corners = read.corners;
  const exact = read.kind === 'binary' && bytes.byteLength === 84 + 50 * (corners.length / 9);
  postMessage({ facts: { kind: read.kind, exact, ...measureOf(corners) } });
}

onmessage = async ({ data }) => {
  try {
    if (data.file) await check(data.file);
    else if (corners) {
      const stl = writeBinary(corners, data.convert.header, data.convert.scale);
      postMessage({ stl }, { transfer: [stl] });
    }
  } catch (error) {
    const unread = error instanceof DOMException
      ? 'The file could not be read. It may have been moved or changed meanwhile.' : String(error);
    const large = error instanceof RangeError ? 'The file is too large for the memory of this browser.' : unread;
    postMessage({ failure: error instanceof NotStl ? error.message : large });
  }
};
