/** Reading, checking and writing STL, as the viewer and "Attach STL" do it. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { kindOf, measureOf, NotStl, readAscii, readStl,
  writeBinary } from '../../orthanc_stl/webassets/app/shared/stl.js';
import { root } from './data.mjs';
import { random } from './random.mjs';
import { box } from './solids.mjs';

const text = (corners) => {
  const lines = ['solid box'];
  for (let i = 0; i < corners.length; i += 9) {
    lines.push(' facet normal 0 0 0', '  outer loop');
    for (let k = 0; k < 9; k += 3) lines.push(`   vertex ${[...corners.subarray(i + k, i + k + 3)].join(' ')}`);
    lines.push('  endloop', ' endfacet');
  }
  return new TextEncoder().encode(`${lines.join('\n')}\nendsolid box\n`);
};

const binary = (corners, header = 'a test') => new Uint8Array(writeBinary(corners, header));

test('a binary STL is read as it was written', () => {
  const corners = box(10, 20, 30);
  assert.equal(kindOf(binary(corners)), 'binary');
  assert.deepEqual(readStl(binary(corners)), { kind: 'binary', corners });
});

test('an ASCII STL gives the same triangles, also in capitals and with tabs', () => {
  const corners = box(1.5, 2.25, -3e-3);
  assert.deepEqual(readStl(text(corners)), { kind: 'ascii', corners });
  const loud = new TextEncoder().encode(new TextDecoder().decode(text(corners)).toUpperCase().replaceAll(' ', '\t'));
  assert.deepEqual(readStl(loud).corners, corners);
});

test('a binary STL whose header says "solid" is binary, and its length decides', () => {
  assert.equal(kindOf(binary(box(1, 1, 1), 'solid made by a CAD program')), 'binary');
});

test('an ASCII STL larger than the pieces it is read in loses nothing at their borders', () => {
  const corners = new Float32Array(9 * 45000);
  for (let i = 0; i < corners.length; i++) corners[i] = Math.fround(Math.sin(i) * 1000);
  const bytes = text(corners);
  assert.ok(bytes.byteLength > 8 << 20);
  assert.deepEqual(readAscii(bytes), corners);
});

test('scaling to millimetres multiplies coordinates and leaves normals unit', () => {
  const bytes = binary(box(1, 1, 1));
  const scaled = new Uint8Array(writeBinary(readStl(bytes).corners, 'x', 25.4));
  assert.deepEqual(measureOf(readStl(scaled).corners).max.map(Math.fround), [25.4, 25.4, 25.4].map(Math.fround));
  const view = new DataView(scaled.buffer);
  assert.equal(Math.hypot(view.getFloat32(84, true), view.getFloat32(88, true), view.getFloat32(92, true)), 1);
});

test('volume and box of a box, also far from the origin and inside out', () => {
  const corners = box(10, 20, 30);
  assert.equal(measureOf(corners).volume, 6000);
  const far = corners.map((value) => value + 4096);
  assert.equal(measureOf(far).volume, 6000);
  const reversed = new Float32Array(corners.length);
  for (let i = 0; i < corners.length; i += 3) {
    reversed.set(corners.subarray(corners.length - 3 - i, corners.length - i), i);
  }
  assert.equal(measureOf(reversed).volume, -6000);
  assert.deepEqual([measureOf(corners).min, measureOf(corners).max], [[0, 0, 0], [10, 20, 30]]);
});

for (const [what, bytes, sentence] of [
  ['nothing', new Uint8Array(0), /empty/],
  ['a few bytes', new Uint8Array(20), /20 bytes/],
  ['a PNG', Uint8Array.from({ length: 400 }, (_, i) => [0x89, 0x50, 0x4e, 0x47][i % 4]), /not an STL file/],
  ['no triangles', binary(new Float32Array(0)), /no triangle/],
  ['a binary STL that was cut', binary(box(1, 1, 1)).subarray(0, 400),
    /12 triangles would take 684 bytes, but it has 400/],
  ['"solid" and nothing more', new TextEncoder().encode('solid x\nendsolid x\n'), /no triangle/],
  ['an ASCII STL that was cut', text(box(1, 1, 1)).subarray(0, 185), /three for each triangle|not a number/],
  ['words for numbers', new TextEncoder().encode('solid\nvertex a b c\n'), /not a number/],
  ['an infinite coordinate', binary(Float32Array.from([1, 2, 3, 4, 5, 6, 7, Infinity, 9])), /Triangle 1 /],
]) {
  test(`${what} is refused with a sentence`, () => {
    assert.throws(() => readStl(bytes), (error) => error instanceof NotStl && sentence.test(error.message));
  });
}

const TABLE = JSON.parse(readFileSync(new URL('../stl_files.json', import.meta.url), 'utf-8'));

for (const row of TABLE) {
  test(`a file of the table that the server reads as well: ${row.what}`, () => {
    const bytes = new Uint8Array(row.text === undefined ? Buffer.from(row.base64, 'base64')
      : Buffer.from(row.text, 'latin1'));
    if (row.refused || row.triangles === 0) { // a page has nothing to show of a file without triangles
      assert.throws(() => readStl(bytes), NotStl);
      return;
    }
    const { triangles, volume } = measureOf(readStl(bytes).corners);
    assert.equal(triangles, row.triangles);
    assert.ok(Math.abs(volume - row.volume) < 1e-6);
  });
}

for (const name of ['stl_bom', 'stl_name_my_vertex_model', 'stl_92_bytes_after']) {
  const path = `${root}/faults/${name}.stl`;
  test(`${name}, after a public report, has 12 triangles`,
    { skip: !existsSync(path) && 'the shared data are not here' }, () => {
    assert.equal(readStl(new Uint8Array(readFileSync(path))).corners.length, 12 * 9);
  });
}

test('an ASCII STL in one line of megabytes is read, and text without facets or lines is refused', () => {
  const corners = new Float32Array(9 * 40000).map((_, i) => i % 97);
  const line = new TextEncoder().encode(new TextDecoder().decode(text(corners)).replaceAll('\n', ' ')
    .replace('box', ''));
  assert.ok(line.byteLength > 4 << 20);
  assert.deepEqual(readAscii(line), corners);
  assert.throws(() => readStl(new TextEncoder().encode(`solid ${'x'.repeat(9 << 20)}`)), /without a facet or a line/);
});

test('whatever bytes come, reading ends in triangles or in NotStl', () => {
  const next = random(7);
  const seeds = [binary(box(3, 4, 5)), text(box(3, 4, 5)), binary(box(1, 1, 1), 'solid')];
  for (let round = 0; round < 3000; round++) {
    const bytes = seeds[round % 3].slice(0, next() < 0.3 ? Math.floor(next() * 700) : undefined);
    for (let i = 0; i < 1 + next() * 5 && bytes.length; i++) {
      bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
    }
    try {
      const { corners } = readStl(bytes);
      assert.equal(corners.length % 9, 0);
      assert.ok(corners.every(Number.isFinite));
    } catch (error) {
      assert.ok(error instanceof NotStl, String(error));
    }
  }
});

const FILES = { 'numpy-stl/stl_ascii_Moon.stl': 'ascii', 'numpy-stl/stl_binary_HalfDonut.stl': 'binary',
  'numpy-stl/stl_binary_CubeInvalidUnicode.stl': 'binary',
  'trimesh/20mm-xyz-cube.stl': 'binary', 'trimesh/featuretype.STL': 'binary',
    'trimesh/two_objects_mixed_case_names.stl': 'ascii', 'trimesh/unit_cube.STL': 'binary' };

for (const [name, kind] of Object.entries(FILES)) {
  const path = `${root}/mesh/${name}`;
  test(`${name}, made by others, is ${kind} and keeps its shape as binary`,
    { skip: !existsSync(path) && 'the shared data are not here' }, () => {
    const read = readStl(new Uint8Array(readFileSync(path)));
    assert.equal(read.kind, kind);
    assert.deepEqual(readStl(binary(read.corners)).corners, read.corners);
  });
}
