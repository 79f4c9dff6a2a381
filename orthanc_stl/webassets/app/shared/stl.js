/**
 * STL files in and out, on plain arrays: no page, no three.js, so the same code runs in workers and in `node --test`.
 *
 * A file is read into "corners": a Float32Array of 9 numbers a triangle (three corners, x y z), as the file has them.
 * Nothing in a file is trusted before its length was checked against what its header claims.
 */

const HEADER = 80;
const PREAMBLE = HEADER + 4;
const RECORD = 50;

/** The file is not an STL that can be used; the message is a sentence for the person who chose it. */
export class NotStl extends Error {}

/** Bytes after the last triangle that are passed over, if they are not more than the triangles take. */
const MOST_SURPLUS = 1 << 16;

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** @param {Uint8Array} bytes @returns {Uint8Array} without a UTF-8 byte order mark */
function unmarked(bytes) {
  return BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? bytes.subarray(3) : bytes;
}

/** @param {Uint8Array} bytes @returns {Uint8Array} without NULs at the end: DICOM pads to an even length */
function withoutPadding(bytes) {
  let end = bytes.byteLength;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

/**
 * @param {Uint8Array} bytes
 * @returns {boolean} whether the file begins with "solid", after blanks, and has no NUL in it
 */
function isText(bytes) {
  const head = new TextDecoder('latin1').decode(unmarked(bytes.subarray(0, HEADER))).trimStart().toLowerCase();
  return head.startsWith('solid') && !withoutPadding(bytes).includes(0);
}

/**
 * The number of triangles if the length fits a binary STL, else null. The length decides, not the word "solid":
 * many binary files begin with it. Some writers leave bytes after the last triangle: they are passed over, unless the
 * file may be text. formats/stl.py decides the same; tests/stl_files.json holds both to it.
 * @param {Uint8Array} bytes @returns {number | null}
 */
function binaryTriangles(bytes) {
  if (bytes.byteLength < PREAMBLE) return null;
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEADER, true);
  const size = count * RECORD;
  const surplus = bytes.byteLength - (PREAMBLE + size);
  if (surplus >= 0 && surplus <= 2) return count;
  if (count > 0 && surplus > 0 && !bytes.subarray(PREAMBLE + size).some((byte) => byte !== 0)) return count;
  return surplus > 0 && surplus <= Math.min(size, MOST_SURPLUS) && !isText(bytes) ? count : null;
}

/** @param {Uint8Array} bytes @returns {'binary' | 'ascii'} @throws {NotStl} */
export function kindOf(bytes) {
  if (bytes.byteLength === 0) throw new NotStl('The file is empty.');
  if (binaryTriangles(bytes) !== null) return 'binary';
  if (isText(bytes)) return 'ascii';
  if (bytes.byteLength < PREAMBLE) {
    throw new NotStl(
      `This is not an STL file: it has ${bytes.byteLength} bytes, and the shortest STL has ${PREAMBLE}.`);
  }
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEADER, true);
  const expected = PREAMBLE + count * RECORD;
  if (expected > 4 * bytes.byteLength || bytes.byteLength > 4 * expected) {
    throw new NotStl('This is not an STL file: its content fits neither the binary nor the text form of STL.');
  }
  throw new NotStl(
    `The STL file is damaged: its ${count.toLocaleString('en')} triangles would take `
    + `${expected.toLocaleString('en')} bytes, ` +
    `but it has ${bytes.byteLength.toLocaleString('en')}.`);
}

/** @param {Uint8Array} bytes a binary STL @returns {Float32Array} corners, 9 a triangle */
export function readBinary(bytes) {
  const count = binaryTriangles(bytes);
  if (count === null) throw new NotStl('The length of the file does not fit the number of triangles in its header.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const corners = new Float32Array(count * 9);
  for (let triangle = 0, at = PREAMBLE + 12, out = 0; triangle < count; triangle++, at += RECORD) {
    for (let i = 0; i < 36; i += 4) corners[out++] = view.getFloat32(at + i, true);
  }
  return corners;
}

/** Float32 numbers that grow as they come. */
class Numbers {
  constructor(capacity = 9216) {
    this.array = new Float32Array(capacity);
    this.length = 0;
  }

  /** @param {number} value */
  push(value) {
    if (this.length === this.array.length) {
      const larger = new Float32Array(this.array.length * 2);
      larger.set(this.array);
      this.array = larger;
    }
    this.array[this.length++] = value;
  }

  trimmed() {
    return this.array.slice(0, this.length);
  }
}

/**
 * What may hold any word: the line of a solid's name (some files go on in it), and what follows its end, up to the next
 * solid or facet; a vertex; the end of a facet. Blanks are those of ASCII.
 */
const NAME = '(?:^|(?<=[\\r\\n]))[ \\t]*(?:solid\\b(?:(?!\\bfacet\\s+normal\\b)[^\\r\\n])*'
  + '|endsolid\\b(?:(?!\\bfacet\\b|[\\r\\n][ \\t]*solid\\b)[^])*)';
const NUMBER = '[ \\t-\\r]+([^ \\t-\\r]+)';
const TOKENS = new RegExp(
  `(?<name>${NAME})|\\bvertex\\b(?:${NUMBER.repeat(3)}(?=[ \\t-\\r]))?|\\bend(loop|facet)\\b`, 'gi');
const FACET_ENDS = /\bend(?:loop|facet)\b/gi;
const CHUNK = 4 << 20;
const TAIL = 4096;

/**
 * Where a piece of text may be cut: after the last facet in its tail, else after its last line.
 * @param {string} text @returns {number} 0 if there is no such place
 */
function placeToCut(text) {
  const tail = Math.max(0, text.length - TAIL);
  const found = [...text.slice(tail).matchAll(FACET_ENDS)];
  const ends = found.filter((match) => match.index + match[0].length < text.length - tail);
  const last = ends.at(-1);
  return last ? tail + last.index + last[0].length : Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
}

/** The corners of triangles, checked as they come: three vertices a facet, all of them numbers. */
class Facets {
  constructor() {
    this.numbers = new Numbers();
    this.open = 0;
    this.loops = false;
    this.facets = false;
  }

  /** @param {string} text whole vertices, names and ends */
  read(text) {
    for (const match of text.matchAll(TOKENS)) {
      if (match.groups?.name !== undefined) continue;
      if (match[5] !== undefined) this.end(match[5].toLowerCase() === 'loop');
      else this.vertex(match);
    }
  }

  /** @param {RegExpMatchArray} match */
  vertex(match) {
    for (let i = 2; i <= 4; i++) {
      const value = DECIMAL.test(match[i] ?? '') ? Number(match[i]) : NaN;
      if (Number.isNaN(value)) {
        throw new NotStl(`The file has a vertex that is not a number: “${(match[i] ?? '').slice(0, 40)}”.`);
      }
      this.numbers.push(value);
    }
    this.open++;
  }

  /** @param {boolean} isLoop */
  end(isLoop) {
    if (isLoop) this.loops = true;
    else this.facets = true;
    if (!isLoop && this.loops) return;
    if (this.open !== 0 && this.open !== 3) {
      throw new NotStl(`The file has a facet of ${this.open} vertices: triangles have three.`);
    }
    this.open = 0;
  }

  corners() {
    const left = this.loops || this.facets ? this.open : this.open % 3;
    if (left !== 0) {
      throw new NotStl(
        `The file is damaged: it has ${this.numbers.length / 3} vertices, which is not three for each triangle.`);
    }
    return this.numbers.trimmed();
  }
}

const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;

/**
 * @param {Uint8Array} bytes an ASCII STL, of one or several solids
 * @returns {Float32Array} corners, 9 a triangle
 * Read in pieces of 4 MB, so that a file of hundreds of MB never becomes one string.
 */
export function readAscii(bytes) {
  const text = withoutPadding(unmarked(bytes));
  const decoder = new TextDecoder('latin1');
  const facets = new Facets();
  let rest = '';
  for (let start = 0; start < text.byteLength; start += CHUNK) {
    rest += decoder.decode(text.subarray(start, start + CHUNK));
    if (start + CHUNK >= text.byteLength) break;
    const cut = placeToCut(rest);
    if (cut === 0 && rest.length > CHUNK) {
      throw new NotStl('This is not an STL file: it has megabytes of text without a facet or a line.');
    }
    facets.read(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  facets.read(`${rest}\n`);
  return facets.corners();
}

/**
 * @param {Uint8Array} bytes a whole STL file
 * @returns {{kind: 'binary' | 'ascii', corners: Float32Array}} at least one triangle, all coordinates finite
 * @throws {NotStl}
 */
export function readStl(bytes) {
  const kind = kindOf(bytes);
  const corners = kind === 'binary' ? readBinary(bytes) : readAscii(bytes);
  if (corners.length === 0) throw new NotStl('The STL file has no triangle in it.');
  for (let i = 0; i < corners.length; i++) {
    if (!Number.isFinite(corners[i])) {
      const triangle = (Math.floor(i / 9) + 1).toLocaleString('en');
      throw new NotStl(`Triangle ${triangle} of the STL file has a coordinate that is not a finite number.`);
    }
  }
  return { kind, corners };
}

/**
 * @param {Float32Array} corners 9 a triangle
 * @param {string} header at most 80 ASCII characters; must not begin with "solid"
 * @param {number} scale each coordinate is multiplied by it (10 for centimetres to millimetres)
 * @returns {ArrayBuffer} a binary STL, normals computed from the corners
 */
export function writeBinary(corners, header, scale = 1) {
  const count = corners.length / 9;
  const buffer = new ArrayBuffer(PREAMBLE + count * RECORD);
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  for (let i = 0; i < Math.min(HEADER, header.length); i++) bytes[i] = header.charCodeAt(i) & 0x7f;
  view.setUint32(HEADER, count, true);
  const normal = [0, 0, 0];
  for (let triangle = 0, at = PREAMBLE; triangle < count; triangle++, at += RECORD) {
    normalOf(corners, triangle * 9, normal);
    const length = Math.hypot(normal[0], normal[1], normal[2]) || 1;
    for (let i = 0; i < 3; i++) view.setFloat32(at + 4 * i, normal[i] / length, true);
    for (let i = 0; i < 9; i++) view.setFloat32(at + 12 + 4 * i, corners[triangle * 9 + i] * scale, true);
  }
  return buffer;
}

/**
 * Puts the cross product of two edges of the triangle at `at` into `out`: its length is twice the area.
 * @param {Float32Array} corners @param {number} at @param {number[]} out
 */
export function normalOf(corners, at, out) {
  const [ax, ay, az] = [corners[at], corners[at + 1], corners[at + 2]];
  const ux = corners[at + 3] - ax, uy = corners[at + 4] - ay, uz = corners[at + 5] - az;
  const vx = corners[at + 6] - ax, vy = corners[at + 7] - ay, vz = corners[at + 8] - az;
  out[0] = uy * vz - uz * vy;
  out[1] = uz * vx - ux * vz;
  out[2] = ux * vy - uy * vx;
}

/**
 * @param {Float32Array} corners 9 a triangle
 * @returns {{triangles: number, min: number[], max: number[], volume: number}} box and signed volume in the file's
 *   units (mm, mm³); the volume means something only where the surface is closed; negative where it is inside out
 */
export function measureOf(corners) {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < corners.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const value = corners[i + k];
      if (value < min[k]) min[k] = value;
      if (value > max[k]) max[k] = value;
    }
  }
  // Tetrahedra from the middle of the box, not from the origin: a model far from it would lose digits.
  const [ox, oy, oz] = min.map((low, k) => (low + max[k]) / 2);
  let volume = 0;
  for (let i = 0; i < corners.length; i += 9) {
    const ax = corners[i] - ox, ay = corners[i + 1] - oy, az = corners[i + 2] - oz;
    const bx = corners[i + 3] - ox, by = corners[i + 4] - oy, bz = corners[i + 5] - oz;
    const cx = corners[i + 6] - ox, cy = corners[i + 7] - oy, cz = corners[i + 8] - oz;
    volume += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
  }
  return { triangles: corners.length / 9, min, max, volume: volume / 6 };
}
