/** The decoder against files of known meshes, written by tests/js/*_writer.mjs. */
import assert from "node:assert/strict";
import test from "node:test";
import { decodeNode, readIndex, task } from "../../orthanc_stl/webassets/nexus/decoder/decode.js";
import { cortoNode } from "./corto_writer.mjs";
import { plainNode, singleNode, writeModel } from "./nexus_writer.mjs";
import { sheet, sphere, together, torus } from "./shapes.mjs";

/** Mesh with normals that point away from a point below, colours and texture coordinates by position. */
function dressed(mesh) {
  const unit = ([x, y, z]) => [x, y, z + 50].map((v) => v / Math.hypot(x, y, z + 50));
  return {
    ...mesh,
    normals: mesh.positions.map(unit),
    colours: mesh.positions.map((p) => [...unit(p).map((x) => Math.round(128 + 100 * x)), 255]),
    uvs: mesh.positions.map((p) => [0.5 + p[0] / 100, 0.5 + p[1] / 100]),
  };
}

const ALL = { normal: true, colour: true, uv: true };

function open(file) {
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  const model = readIndex(buffer, buffer.byteLength);
  const nodes = model.nodes.map((node) => decodeNode(new Uint8Array(buffer, node.begin, node.end - node.begin),
    task(model.header, node)));
  return { model, nodes };
}

const rows = (array, size) => Array.from({ length: array.length / size },
  (_, i) => Array.from(array.subarray(size * i, size * i + size)));
const near = (a, b, tolerance, what) =>
  a.forEach((x, k) => assert.ok(Math.abs(x - b[k]) <= tolerance, `${what}: ${a} is not ${b}`));

/** Triangles by the numbers of the original mesh, each turned so that its smallest corner is first. */
function canonical(triangles) {
  const turned = triangles.map((t) => {
    const k = t.indexOf(Math.min(...t));
    return [t[k], t[(k + 1) % 3], t[(k + 2) % 3]].join(",");
  });
  return turned.sort();
}

function checkCorto(mesh, options = {}) {
  const { bytes, order } = cortoNode(mesh, options);
  const attributes = { normal: Boolean(mesh.normals), colour: Boolean(mesh.colours), uv: Boolean(mesh.uvs) };
  const { nodes } = open(
    writeModel([singleNode(mesh, () => bytes)], { codec: "corto", attributes, cloud: !mesh.triangles }));
  const [out] = nodes;
  const step = options.step ?? 1 / 1024;
  assert.equal(out.position.length, 3 * mesh.positions.length);
  rows(out.position, 3).forEach((p, i) => near(p, mesh.positions[order[i]], step * 0.51, `vertex ${i}`));
  if (mesh.triangles) {
    const back = rows(out.index, 3).map((t) => t.map((v) => order[v]));
    assert.deepEqual(canonical(back), canonical(mesh.triangles));
  }
  if (mesh.uvs) rows(out.uv, 2).forEach((p, i) => near(p, mesh.uvs[order[i]], 0.51 / 4096, `uv ${i}`));
  if (mesh.colours) {
    rows(out.color, 4).forEach((c, i) => near(c, mesh.colours[order[i]].map((x, k) => x - (x % [4, 4, 4, 8][k])), 0,
      `colour ${i}`));
  }
  if (mesh.normals && options.normalMode !== 2) {
    rows(out.normal, 3).forEach((n, i) => near(n.map((x) => x / 32767), mesh.normals[order[i]], 4 / 512,
      `normal ${i}`));
  }
  return { out, order };
}

test("an uncompressed node comes back as it was written, in the order position, uv, normal, colour, index", () => {
  const mesh = dressed(sphere(30, 12, 16, [5, -7, 100]));
  const { nodes } = open(writeModel([singleNode(mesh)], { attributes: ALL }));
  rows(nodes[0].position, 3).forEach((p, i) => near(p, mesh.positions[i], 1e-5, "position"));
  rows(nodes[0].uv, 2).forEach((p, i) => near(p, mesh.uvs[i], 1e-7, "uv"));
  rows(nodes[0].normal, 3).forEach((n, i) => near(n.map((x) => x / 32766), mesh.normals[i], 1e-4, "normal"));
  assert.deepEqual(rows(nodes[0].color, 4), mesh.colours);
  assert.deepEqual(rows(nodes[0].index, 3), mesh.triangles);
});

for (const [name, mesh] of Object.entries({
  "a triangle": { positions: [[0, 0, 0], [1, 0, 0], [0, 1, 0]], triangles: [[0, 1, 2]] },
  "a closed sphere": sphere(30, 14, 20),
  "a torus, whose front meets itself": torus(30, 10, 24, 13),
  "an open sheet with a hole": sheet(18),
  "three parts": together(sphere(10, 6, 8), torus(30, 5, 16, 8), sphere(10, 5, 7, [0, 0, 40])),
})) {
  test(`Corto: ${name}`, () => void checkCorto(mesh));
  test(`Corto: ${name}, with normals, colours and texture coordinates`,
    () => void checkCorto(dressed(mesh), { normalMode: 0 }));
  test(`Corto: ${name}, with normals by estimate`, () => void checkCorto(dressed(mesh), { normalMode: 1 }));
  test(`Corto: ${name}, every fifth edge delayed`, () => void checkCorto(mesh, { delayEvery: 5 }));
  for (const strategy of [0, 1, 2]) {
    test(`Corto: ${name}, strategy ${strategy}`, () => void checkCorto(mesh, { strategy }));
  }
  test(`Corto: ${name}, in three groups`, () => {
    const m = mesh.triangles.length;
    checkCorto(mesh, { ends: [Math.floor(m / 3), Math.floor((2 * m) / 3), m] });
  });
}

test("Corto: a cloud of points", () => void checkCorto({ ...dressed(sphere(30, 9, 11)), triangles: undefined },
  { strategy: 2 }));

test("Corto: normals of kind 2 are corrected on the border alone", () => {
  const mesh = dressed(sheet(9));
  const { out, order } = checkCorto(mesh, { normalMode: 2 });
  let corrected = 0;
  rows(out.normal, 3).forEach((n, i) => {
    if (n[2] > 32700 && n[0] === 0) return;
    near(n.map((x) => x / 32767), mesh.normals[order[i]], 4 / 512, "border normal");
    corrected++;
  });
  assert.ok(corrected > 30 && corrected < mesh.positions.length, `${corrected} corrected`);
});

test("Corto: wide values, up to the 32 bits of the format", () => {
  const far = { positions: [[0, 0, 0], [2 ** 30, 0, 0], [0, -(2 ** 30), 5]], triangles: [[0, 1, 2]] };
  for (const strategy of [0, 1, 2, 3]) checkCorto(far, { step: 1, strategy });
});

test("a model of several nodes keeps patches, roots and the sink apart", () => {
  const coarse = sphere(30, 4, 6);
  const fine = sphere(30, 8, 12);
  const nodes = [
    { ...singleNode(coarse, plainNode, 10), patches: [{ node: 1, end: 7 }, { node: 2, end: coarse.triangles.length }] },
    { ...singleNode(fine, plainNode, 2), patches: [{ node: 3, end: fine.triangles.length }] },
    { ...singleNode(fine, plainNode, 2), patches: [{ node: 3, end: fine.triangles.length }] },
  ];
  const { model } = open(writeModel(nodes));
  assert.equal(model.roots, 1);
  assert.equal(model.sink, 3);
  assert.deepEqual(model.nodes[0].patches, [
    { node: 1, begin: 0, end: 7, texture: -1 },
    { node: 2, begin: 7, end: coarse.triangles.length, texture: -1 },
  ]);
});

test("textures are found, and an empty one is empty", () => {
  const mesh = { ...dressed(sphere(3, 4, 5)), texture: 0 };
  const { model } = open(
    writeModel([singleNode(mesh)], { attributes: ALL, textures: [Buffer.from("picture"), Buffer.alloc(0)] }));
  assert.equal(model.textures.length, 2);
  assert.equal(model.textures[0].end - model.textures[0].begin, 256);
  assert.equal(model.textures[1].end, model.textures[1].begin);
});
