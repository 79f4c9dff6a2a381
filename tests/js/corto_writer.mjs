/** Encodes a manifold mesh, or a cloud of points, as a Corto stream with entropy 0. Slow, for tests. */
import { Bits, Bytes } from "./bytes.mjs";

const [VERTEX, LEFT, RIGHT, END, BOUNDARY, DELAY, SPLIT] = [0, 1, 2, 3, 4, 5, 6];

/** Walks over the triangles as the decoder will, and writes down what it has to be told. */
class Encoder {
  constructor({ positions, triangles }, delayEvery) {
    this.triangles = triangles;
    this.splitBits = Math.floor(Math.log2(positions.length)) + 1;
    this.operations = [];
    this.bits = new Bits();
    this.number = new Map(); // old vertex -> new
    this.order = [];
    this.prediction = [];
    this.out = [];
    this.delayEvery = delayEvery;
    this.asked = 0;
  }

  numbered(v, prediction) {
    this.number.set(v, this.order.length);
    this.order.push(v);
    this.prediction.push(prediction);
  }

  group(from, to) {
    this.edges = [];
    this.queue = [];
    this.delayed = [];
    this.left = new Set();
    this.sides = new Map();
    for (let t = from; t < to; t++) {
      this.left.add(t);
      const corner = this.triangles[t];
      for (let k = 0; k < 3; k++) this.sides.set(`${corner[k]},${corner[(k + 1) % 3]}`, [t, corner[(k + 2) % 3]]);
    }
    let current = -1;
    while (this.left.size > 0) {
      const edge = current >= 0 ? current : (this.queue.shift() ?? this.delayed.pop() ?? -1);
      current = -1;
      if (edge < 0) this.component();
      else if (!this.edges[edge].dead) current = this.step(edge);
    }
  }

  emit(t, corners) {
    this.left.delete(t);
    this.out.push(corners.map((v) => this.number.get(v)));
  }

  add(v0, v1, v2, previous, next) {
    return this.edges.push({ v0, v1, v2, previous, next }) - 1;
  }

  component() {
    const t = this.left.values().next().value;
    const corners = this.triangles[t];
    const known = corners.map((v) => this.number.has(v));
    if (known.some(Boolean)) {
      this.operations.push(SPLIT);
      this.bits.put(known.reduce((mask, is, k) => mask | (is << k), 0), 3);
    } else this.operations.push(VERTEX);
    corners.forEach((v, k) => {
      const last = this.order.length - 1;
      if (known[k]) this.bits.put(this.number.get(v), this.splitBits);
      else this.numbered(v, [last, last, last]);
    });
    this.emit(t, corners);
    const [t0, t1, t2] = corners;
    const b = this.edges.length;
    this.queue.push(this.add(t1, t2, t0, b + 2, b + 1), this.add(t2, t0, t1, b, b + 2), this.add(t0, t1, t2, b + 1, b));
  }

  step(id) {
    const { v0, v1, v2, previous, next } = this.edges[id];
    const [t, v] = this.sides.get(`${v1},${v0}`) ?? [-1];
    if (!this.left.has(t)) return this.say(BOUNDARY);
    if (this.delayEvery && ++this.asked % this.delayEvery === 0) {
      this.delayed.push(id);
      return this.say(DELAY);
    }
    const [p, n] = [this.edges[previous], this.edges[next]];
    const made = this.edges.length;
    const [atLeft, atRight] = [p.v0 === v, n.v1 === v];
    if (atLeft && atRight) {
      this.say(END);
      p.dead = n.dead = true;
      this.edges[p.previous].next = n.next;
      this.edges[n.next].previous = p.previous;
    } else if (atLeft) {
      this.say(LEFT);
      p.dead = true;
      this.edges[p.previous].next = n.previous = made;
      this.add(v, v1, v0, p.previous, next);
    } else if (atRight) {
      this.say(RIGHT);
      n.dead = true;
      this.edges[n.next].previous = p.next = made;
      this.add(v0, v, v1, previous, n.next);
    } else {
      if (this.number.has(v)) {
        this.say(SPLIT);
        this.bits.put(this.number.get(v), this.splitBits);
      } else {
        this.say(VERTEX);
        this.numbered(v, [v1, v0, v2].map((w) => this.number.get(w)));
      }
      p.next = made;
      n.previous = made + 1;
      this.add(v0, v, v1, previous, made + 1);
      this.queue.push(this.add(v, v1, v0, made, next));
    }
    this.emit(t, [v1, v0, v]);
    return atLeft && atRight ? -1 : made;
  }

  say(operation) {
    this.operations.push(operation);
    return -1;
  }
}

const bitLength = (x) => (x === 0 ? 0 : Math.floor(Math.log2(Math.abs(x))) + 1);
const stored = (out, list) => out.u32(list.length).u8(...list);

function writeCorrelated(out, vectors) {
  const bits = new Bits();
  const widths = vectors.map((vector) => {
    if (vector.every((x) => x === 0)) return 0;
    const width = Math.max(...vector.map((x) => bitLength(x < 0 ? -x - 1 : x))) + 1;
    for (const x of vector) bits.put(x + 2 ** (width - 1), width);
    return width;
  });
  stored(out.bits(bits.list), widths);
}

function writeUncorrelated(out, vectors) {
  const bits = new Bits();
  const blocks = vectors[0].map((_, k) =>
    vectors.map((vector) => {
      const x = vector[k];
      const width = bitLength(x);
      if (width > 0) bits.put(x < 0 ? -x - 2 ** (width - 1) : x, width);
      return width;
    }),
  );
  out.bits(bits.list);
  for (const widths of blocks) stored(out, widths);
}

/** What is left after the prediction: parallelogram, or the one neighbour. */
function differences(values, prediction, parallel) {
  return values.map((value, i) =>
    value.map((x, k) => {
      if (i === 0) return x;
      const [a, b, c] = prediction[i];
      return parallel ? x - values[a][k] - values[b][k] + values[c][k] : x - values[a][k];
    }),
  );
}

/** A unit vector on the octahedron. */
export function folded([x, y, z], unit) {
  const sum = Math.abs(x) + Math.abs(y) + Math.abs(z);
  if (sum === 0) return [0, 0];
  let [u, v] = [x / sum, y / sum];
  if (z < 0) [u, v] = [(1 - Math.abs(v)) * (x < 0 ? -1 : 1), (1 - Math.abs(u)) * (y < 0 ? -1 : 1)];
  return [Math.trunc(u * unit), Math.trunc(v * unit)];
}

function estimates(grid, triangles) {
  const sum = grid.map(() => [0, 0, 0]);
  for (const [i, j, k] of triangles) {
    const a = grid[j].map((x, c) => x - grid[i][c]);
    const b = grid[k].map((x, c) => x - grid[i][c]);
    const n = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    for (const v of [i, j, k]) sum[v] = sum[v].map((x, c) => x + n[c]);
  }
  return sum;
}

function borderOf(count, triangles) {
  const around = new Array(count).fill(0);
  for (const [i, j, k] of triangles) {
    around[i] ^= j ^ k;
    around[j] ^= k ^ i;
    around[k] ^= i ^ j;
  }
  return around.map((m) => m !== 0);
}

function writeNormals(out, normals, mode, unit, grid, triangles, prediction) {
  const wanted = normals.map((n) => folded(n, unit));
  out.u8(mode);
  if (mode === 0) return writeCorrelated(out, differences(wanted, prediction, false));
  const expected = estimates(grid, triangles).map((n) => folded(n, unit));
  const residuals = wanted.map(([x, y], i) => [x - expected[i][0], y - expected[i][1]]);
  const border = borderOf(grid.length, triangles);
  return writeCorrelated(out, mode === 2 ? residuals.filter((_, i) => border[i]) : residuals);
}

const byte = (x) => ((x % 256) + 384) % 256 - 128;

function writeColours(out, colours, steps, prediction) {
  steps.forEach((step) => out.u8(step));
  const values = colours.map(([r, g, b, a]) => {
    const [qr, qg, qb, qa] = [r, g, b, a].map((x, k) => Math.floor(x / steps[k]));
    return [qg, qb - qg, qr - qg, qa];
  });
  writeUncorrelated(out, differences(values, prediction, false).map((d) => d.map(byte)));
}

/**
 * @param mesh     as for plainNode; without triangles it is a cloud
 * @param options  step: of positions; uvStep; unit: of normals; normalMode 0..2; colourSteps; strategy: of positions;
 *                 ends: of the groups; delayEvery: delay each so many-th edge
 * @returns {{bytes: Buffer, order: number[]}} order[new vertex] = old vertex
 */
export function cortoNode(mesh, options = {}) {
  const { step = 1 / 1024, uvStep = 1 / 4096, unit = 512, normalMode = 1, colourSteps = [4, 4, 4, 8], strategy = 3 } =
    options;
  const cloud = !mesh.triangles?.length;
  const ends = options.ends ?? [cloud ? mesh.positions.length : mesh.triangles.length];
  const encoder = new Encoder({ positions: mesh.positions, triangles: mesh.triangles ?? [] }, options.delayEvery);
  if (cloud) mesh.positions.forEach((_, i) => encoder.numbered(i, [i - 1, i - 1, i - 1]));
  else ends.forEach((end, g) => encoder.group(g === 0 ? 0 : ends[g - 1], end));
  const { order, prediction, out: triangles } = encoder;
  const pick = (list) => order.map((v) => list[v]);

  const attributes = [
    mesh.colours && ["color", 3, 0, 4, 4, 0],
    mesh.normals && ["normal", 2, unit, 3, 3, 2],
    ["position", 1, step, 3, 6, strategy],
    mesh.uvs && ["uv", 1, uvStep, 2, 6, 0],
  ].filter(Boolean);
  const out = new Bytes().u32(0x787a6300).u32(1).u8(0).u32(0).u32(attributes.length);
  for (const [name, codec, q, components, format, kind] of attributes) {
    out.string(name).u32(codec).f32(q).u8(components, format, kind);
  }
  out.u32(order.length).u32(triangles.length).u32(ends.length);
  for (const end of ends) out.u32(end).u8(0);
  if (!cloud) stored(out.u32(0), encoder.operations).bits(encoder.bits.list);

  const grid = pick(mesh.positions).map((p) => p.map((x) => Math.round(x / step)));
  const write = { color: () => writeColours(out, pick(mesh.colours), colourSteps, prediction) };
  write.normal = () => writeNormals(out, pick(mesh.normals), cloud ? 0 : normalMode, unit, grid, triangles, prediction);
  write.position = () => {
    const residuals = differences(grid, prediction, !cloud && strategy & 1);
    return strategy & 2 ? writeCorrelated(out, residuals) : writeUncorrelated(out, residuals);
  };
  write.uv = () => {
    const values = pick(mesh.uvs).map((p) => p.map((x) => Math.round(x / uvStep)));
    writeUncorrelated(out, differences(values, prediction, false));
  };
  for (const [name] of attributes) write[name]();
  return { bytes: out.pad(256).done(), order };
}
