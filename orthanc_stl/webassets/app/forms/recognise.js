/** What a file is, by its first bytes; by its name where these say nothing. */

/** @param {File} file @param {number} length @returns {Promise<Uint8Array>} its first bytes */
export const beginning = async (file, length) => new Uint8Array(await file.slice(0, length).arrayBuffer());

/** @param {Uint8Array} head @param {number[]} bytes */
const starts = (head, bytes) => bytes.every((byte, i) => head[i] === byte);
/** @param {Uint8Array} head */
const text = (head) => new TextDecoder('latin1').decode(head);

/** @param {Uint8Array} head */
export const isGzip = (head) => starts(head, [0x1f, 0x8b]);

/** The first bytes of each Nexus file. @param {Uint8Array} head */
export const isNexus = (head) => head.length >= 4 && starts(head, [0x20, 0x73, 0x78, 0x4e]);

/** The length of the header, 348 or 540 bytes, comes first, in either order of bytes. @param {Uint8Array} head */
export function isNifti(head) {
  if (head.length < 4) return false;
  const view = new DataView(head.buffer, head.byteOffset);
  return [348, 540].includes(view.getInt32(0, true)) || [348, 540].includes(view.getInt32(0, false));
}

/**
 * @param {File} file @param {string[]} suffixes of the names of files that the server reads, which may begin anyhow
 * @returns {Promise<'stl' | 'nexus' | 'structures' | null>} the form that it needs; null: nothing that is read here
 */
export async function recognise(file, suffixes) {
  const head = await beginning(file, 1024);
  if (isNexus(head)) return 'nexus';
  const name = file.name.toLowerCase();
  if (name.endsWith('.stl')) return 'stl';
  const start = text(head);
  if (isNifti(head) || isGzip(head) || suffixes.some((suffix) => name.endsWith(suffix))) return 'structures';
  if (/^(NRRD0|ply\s|glTF)/.test(start)) return 'structures';
  if (/^\s*solid\b[\s\S]*facet/.test(start)) return 'stl';
  return isBinaryStl(head, file.size) ? 'stl' : null;
}

/** It says at byte 80 how many triangles it has, 50 bytes each. @param {Uint8Array} head @param {number} size */
function isBinaryStl(head, size) {
  return head.length >= 84 && new DataView(head.buffer, head.byteOffset).getUint32(80, true) * 50 + 84 === size;
}
