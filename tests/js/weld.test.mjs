/** Loose triangles become one surface with the right normals. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weld } from '../../orthanc_stl/webassets/app/shared/weld.js';
import { box, sphere } from './solids.mjs';

test('a cube keeps its edges: four vertices a face, each with the normal of its face', () => {
  const { positions, normals, index } = weld(box(10, 10, 10), [5, 5, 5]);
  assert.equal(positions.length / 3, 24);
  assert.equal(index.length, 36);
  for (let i = 0; i < normals.length; i += 3) {
    const normal = [...normals.subarray(i, i + 3)];
    assert.deepEqual(normal.map(Math.abs).sort(), [0, 0, 1]);
    const axis = normal.findIndex((value) => value !== 0);
    assert.equal(positions[i + axis], 5 * normal[axis]);
  }
});

test('a sphere is smooth: one vertex at each point, normals within 2 degrees of the radius', () => {
  const n = 40;
  const { positions, normals, index } = weld(sphere(n), [0, 0, 0]);
  assert.equal(positions.length / 3, (n - 1) * 2 * n + 2);
  assert.equal(index.length / 3, (n - 1) * 4 * n); // the triangles at the poles that have no area are gone
  for (let i = 0; i < positions.length; i += 3) {
    const cosine = positions[i] * normals[i] + positions[i + 1] * normals[i + 1] + positions[i + 2] * normals[i + 2];
    assert.ok(cosine > Math.cos((2 * Math.PI) / 180), `${cosine}`);
  }
});

test('turning round reverses triangles and normals', () => {
  const straight = weld(box(1, 1, 1), [0, 0, 0]), turned = weld(box(1, 1, 1), [0, 0, 0], true);
  assert.deepEqual(turned.normals, straight.normals.map((value) => -value + 0));
  assert.deepEqual([[...straight.index.subarray(0, 3)], [...turned.index.subarray(0, 3)]], [[0, 1, 2], [2, 1, 0]]);
});

test('zero and minus zero are one place', () => {
  const corners = Float32Array.from([0, 0, 0, 1, 0, 0, 0, 1, 0, -0, -0, -0, 0, 1, -0, -1, 0, 0]);
  assert.equal(weld(corners, [0, 0, 0]).positions.length / 3, 4);
});

test('a soup of separate triangles grows beyond the expected number of vertices', () => {
  const corners = new Float32Array(9 * 5000);
  for (let i = 0; i < corners.length; i++) corners[i] = Math.sin(i * 12.9898) * 1000;
  const { positions, index } = weld(corners, [0, 0, 0]);
  assert.equal(positions.length / 3, 15000);
  assert.deepEqual([...positions.subarray(0, 3)].map(Math.fround),
    [...[0, 1, 2]].map((i) => Math.fround(Math.sin(i * 12.9898) * 1000)));
  assert.equal(Math.max(...index.subarray(14000)), 14999);
});

test('a million triangles take less than six seconds', { timeout: 30000 }, () => {
  const corners = sphere(500);
  const begin = performance.now();
  const { index } = weld(corners, [0, 0, 0]);
  assert.ok(index.length > 3 * 990000);
  assert.ok(performance.now() - begin < 6000);
});
