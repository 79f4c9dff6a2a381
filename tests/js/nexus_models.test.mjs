/** The decoder against the shared models, made by others. */
import assert from "node:assert/strict";
import test from "node:test";
import { decodeNode, readIndex, task } from "../../orthanc_stl/webassets/nexus/decoder/decode.js";
import { missing, MODELS, read } from "./data.mjs";

function open(name) {
  const buffer = read(name);
  const model = readIndex(buffer, buffer.byteLength);
  const nodes = model.nodes.map((node) => decodeNode(new Uint8Array(buffer, node.begin, node.end - node.begin),
    task(model.header, node)));
  return { model, nodes };
}

const point = (array, i) => Array.from(array.subarray(3 * i, 3 * i + 3));
const minus = (a, b) => a.map((x, k) => x - b[k]);
const dot = (a, b) => a.reduce((sum, x, k) => sum + x * b[k], 0);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** Of the triangles that have an area: the mean cosine between their own normal and their corners'. */
function agreement({ position, normal, index }) {
  let sum = 0;
  let count = 0;
  for (let t = 0; t < index.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => point(position, index[t + k]));
    const face = cross(minus(b, a), minus(c, a));
    const area = Math.hypot(...face);
    if (area === 0) continue;
    for (let k = 0; k < 3; k++) sum += dot(face, point(normal, index[t + k])) / area / 32767;
    count += 3;
  }
  return sum / count;
}

/** Signed volume and area of the finest level. */
function finest({ model, nodes }) {
  let volume = 0;
  let area = 0;
  let triangles = 0;
  model.nodes.forEach((node, i) => {
    for (const patch of node.patches.filter((p) => p.node === model.sink)) {
      for (let t = patch.begin; t < patch.end; t++) {
        const [a, b, c] = [0, 1, 2].map((k) => point(nodes[i].position, nodes[i].index[3 * t + k]));
        volume += dot(a, cross(b, c)) / 6;
        area += Math.hypot(...cross(minus(b, a), minus(c, a))) / 2;
        triangles++;
      }
    }
  });
  return { volume, area, triangles };
}

for (const name of MODELS) {
  test(`${name}: every vertex and triangle is there, inside its sphere, with its normal`, () => {
    const { model, nodes } = open(name);
    assert.equal(model.roots, 1);
    assert.equal(nodes.reduce((n, out) => n + out.position.length / 3, 0), model.header.vertices);
    assert.equal(nodes.reduce((n, out) => n + out.index.length / 3, 0), model.header.triangles);
    nodes.forEach((out, i) => {
      const { centre, tightRadius } = model.nodes[i];
      for (let v = 0; v < out.position.length / 3; v++) {
        assert.ok(Math.hypot(...minus(point(out.position, v), centre)) <= 1.01 * tightRadius,
          `vertex ${v} of node ${i}`);
      }
      if (name !== "box12.nxs" && name !== "box12.nxz") {
        assert.ok(agreement(out) > 0.8, `normals of node ${i}: ${agreement(out)}`);
      }
    });
  });
}

test("vertices on the borders of patches are the same across levels, so no cut has cracks", { skip: missing }, () => {
  const { model, nodes } = open("gargo.nxz");
  const keys = (i) => new Set(Array.from({ length: nodes[i].position.length / 3 }, (_, v) => point(nodes[i].position, v)
    .join()));
  const all = nodes.map((_, i) => keys(i));
  const shared = (i, j) => [...all[i]].filter((key) => all[j].has(key)).length;
  assert.equal(model.nodes[2].patches.length, 2);
  assert.ok(shared(3, 4) > 50, `${shared(3, 4)} vertices are shared by the two finest nodes`);
});

/** Corners, edges and triangles of the finest level, corners being the same where their positions are. */
function topology({ model, nodes }) {
  const corners = new Set();
  const edges = new Map(); // directed
  let triangles = 0;
  model.nodes.forEach((node, i) => {
    for (const patch of node.patches.filter((p) => p.node === model.sink)) {
      for (let t = patch.begin; t < patch.end; t++, triangles++) {
        const keys = [0, 1, 2].map((k) => point(nodes[i].position, nodes[i].index[3 * t + k]).join());
        keys.forEach((key, k) => {
          corners.add(key);
          const edge = `${key}>${keys[(k + 1) % 3]}`;
          edges.set(edge, (edges.get(edge) ?? 0) + 1);
        });
      }
    }
  });
  const opposite = (edge) => edge.split(">").reverse().join(">");
  const open = [...edges.keys()].filter((edge) => edges.get(opposite(edge)) !== edges.get(edge)).length;
  return { corners: corners.size, edges: edges.size / 2, triangles, open };
}

for (const name of ["sphere20k.nxz", "sphere20k_color.nxz"]) {
  test(`${name} is closed and has the Euler number of a sphere`, { skip: missing }, () => {
    assert.deepEqual(topology(open(name)), { corners: 10242, edges: 30720, triangles: 20480, open: 0 });
  });
}

for (const name of ["box12.nxs", "box12.nxz"]) {
  test(`${name} is a closed box`, { skip: missing }, () => {
    assert.deepEqual(topology(open(name)), { corners: 8, edges: 18, triangles: 12, open: 0 });
  });
}

test("Corto, MECO and no compression agree on one model", { skip: missing }, () => {
  const [corto, meco, plain] = ["gargo.nxz", "gargo_old_meco.nxz", "mesh_vc.nxs"].map((name) => finest(open(name)));
  for (const other of [corto, meco]) {
    assert.equal(other.triangles, plain.triangles);
    assert.ok(Math.abs(other.area / plain.area - 1) < 0.03, `area ${other.area}, ${plain.area}`);
    assert.ok(Math.abs(other.volume / plain.volume - 1) < 0.02, `volume ${other.volume}, ${plain.volume}`);
  }
});

test("colours under MECO and Corto are those of the uncompressed model to 8 in 255", { skip: missing }, () => {
  const mean = ({ nodes }) => [0, 1, 2].map((k) => {
    const out = nodes.at(-1).color;
    let sum = 0;
    for (let i = k; i < out.length; i += 4) sum += out[i];
    return sum / (out.length / 4);
  });
  const [corto, meco, plain] = ["gargo.nxz", "gargo_old_meco.nxz", "mesh_vc.nxs"].map((name) => mean(open(name)));
  for (const other of [corto, meco]) {
    other.forEach((x, k) => assert.ok(Math.abs(x - plain[k]) < 8, `${other} is not ${plain}`));
  }
});

/** Each point of `a` has one of `b` no farther than `distance` along any axis. */
function covered(a, b, distance) {
  for (let v = 0; v < a.length / 3; v++) {
    const at = point(a, v);
    let found = false;
    for (let w = 0; w < b.length / 3 && !found; w++) {
      found = minus(at, point(b, w)).every((x) => Math.abs(x) <= distance);
    }
    assert.ok(found, `${at} is not there`);
  }
}

test("the Corto form of a textured model has the vertices and texture coordinates of the uncompressed one",
  { skip: missing }, () => {
  const [plain, corto] = ["fuze_tex_ply.nxs", "fuze_tex_ply.nxz"].map((name) => open(name));
  const [a, b] = [plain.nodes[0], corto.nodes[0]];
  const step = 1 / 128; // to which the encoder cuts coordinates towards zero
  covered(a.position, b.position, step);
  covered(b.position, a.position, step);
  const known = new Set(a.uv.map((x) => Math.round(x * 512)));
  assert.ok(b.uv.every((x) => [-1, 0, 1].some((d) => known.has(Math.round(x * 512) + d))));
  for (const { model } of [plain, corto]) assert.equal(model.textures[0].end - model.textures[0].begin, 54528);
});
