/** Files that somebody wrote to do harm, or that were damaged on the way: a NexusError, soon, and nothing else. */
import assert from "node:assert/strict";
import test from "node:test";
import { decodeNode, NexusError, readIndex, task } from "../../orthanc_stl/webassets/nexus/decoder/decode.js";
import { cortoNode } from "./corto_writer.mjs";
import { missing, MODELS, read } from "./data.mjs";
import { plainNode, singleNode, writeModel } from "./nexus_writer.mjs";
import { random } from "./random.mjs";
import { sphere, torus } from "./shapes.mjs";

const STREAMS = 10_000;
const SLOWEST_MS = 1000;
const MOST_BYTES = 400 << 20;

const bufferOf = (file) => file.buffer.slice(file.byteOffset, file.byteOffset + file.length);

/** [bytes of a node, what the decoder is told of it] of every model at hand. */
function streams() {
  const mesh = torus(30, 9, 20, 12);
  const coded = cortoNode(
    { ...mesh, normals: mesh.positions.map(() => [0, 0, 1]), colours: mesh.positions.map(() => [9, 99, 199, 255]) });
  const made = writeModel([singleNode(mesh, () => coded.bytes)],
    { codec: "corto", attributes: { normal: true, colour: true } });
  const files = [bufferOf(made), bufferOf(writeModel([singleNode(mesh)])), ...MODELS.map(read)];
  return files.flatMap((buffer) => {
    const model = readIndex(buffer, buffer.byteLength);
    return model.nodes.map((node) => [new Uint8Array(buffer, node.begin, node.end - node.begin),
      task(model.header, node)]);
  });
}

/** A copy with a few bytes changed, or cut, or with a length set to the largest. */
function mutated(bytes, next) {
  const copy = bytes.slice();
  const kind = next();
  if (kind < 0.1) return copy.subarray(0, Math.floor(next() * copy.length));
  // Half of the changes fall into the first bytes, where the counts and lengths are.
  const place = () => Math.floor(next() * (next() < 0.5 ? Math.min(200, copy.length) : copy.length));
  if (kind < 0.2) copy.fill(0xff, place()).fill(0xff, 0, 0);
  for (let changes = 1 + Math.floor(next() * 4); changes > 0; changes--) copy[place()] = Math.floor(next() * 256);
  return copy;
}

test(`${STREAMS} mutated streams`, () => {
  const next = random(8);
  const sources = streams();
  let [refused, slowest, most] = [0, 0, 0];
  for (let i = 0; i < STREAMS; i++) {
    // Small streams more often: a mutation of theirs is likelier to meet what matters.
    const [bytes, expected] = sources[Math.floor(next() ** 2 * sources.length)];
    const bad = mutated(bytes, next);
    const began = process.cpuUsage().user;
    try {
      const out = decodeNode(bad, expected);
      assert.equal(out.position.length, 3 * expected.vertices);
      if (out.index) assert.ok(out.index.every((v) => v < expected.vertices));
    } catch (error) {
      if (!(error instanceof NexusError)) throw error;
      refused++;
    }
    slowest = Math.max(slowest, (process.cpuUsage().user - began) / 1000); // of a processor: the machine may be busy
    if (i % 100 === 0) most = Math.max(most, process.memoryUsage().rss);
  }
  console.log(`# refused ${refused} of ${STREAMS}, slowest ${slowest.toFixed(0)} ms, `
    + `at most ${(most / 2 ** 20).toFixed(0)} MB`);
  assert.ok(refused > STREAMS / 4);
  assert.ok(slowest < SLOWEST_MS, `${slowest} ms`);
  assert.ok(most < MOST_BYTES, `${most} bytes`);
});

test("2,000 mutated indices", () => {
  const next = random(9);
  const sources = [bufferOf(writeModel([singleNode(sphere(3, 5, 6))])), ...MODELS.map(read)];
  let refused = 0;
  for (let i = 0; i < 2000; i++) {
    const source = sources[Math.floor(next() * sources.length)];
    const copy = new Uint8Array(source.slice(0, 1024));
    for (let changes = 1 + Math.floor(next() * 3); changes > 0; changes--) {
      copy[Math.floor(next() * 300)] = Math.floor(next() * 256);
    }
    try {
      readIndex(copy.buffer, source.byteLength);
    } catch (error) {
      if (!(error instanceof NexusError)) throw error;
      refused++;
    }
  }
  assert.ok(refused > 500, `${refused} refused`);
});

const box = sphere(3, 4, 5);
const good = () => writeModel([singleNode(box)]);
function with32(at, value) {
  const file = Buffer.from(good());
  file.writeUInt32LE(value, at);
  return file;
}

for (const [what, file, sentence] of [
  ["without its magic number", with32(0, 1), /not a Nexus model/],
  ["of another version", with32(4, 3), /Version 3/],
  ["in many files", with32(56, 8), /deepzoom/],
  ["that claims 2^32 nodes", with32(60, 0xffffffff), /does not fit/],
  ["without nodes", with32(60, 1), /end marker/],
  ["that claims 2^32 patches", with32(64, 0xffffffff), /does not fit/],
  ["whose node lies beyond the end", with32(88, 0xffffffff), /is to lie at/],
  ["whose node is refined by itself", with32(88 + 88, 0), /refined by node 0/],
  ["whose patch ends too late", with32(88 + 88 + 4, 1 << 20), /A patch of node 0/],
  ["whose patches do not reach the end", with32(88 + 88 + 4, 1), /hold 1 of/],
  ["that wants a texture it does not have", with32(88 + 88 + 8, 0), /texture 0/],
  ["cut in the header", good().subarray(0, 50), /88 bytes of header/],
  ["cut in the index", good().subarray(0, 100), /does not fit/],
]) {
  test(`a file ${what} is refused in a sentence`, () => {
    assert.throws(() => readIndex(bufferOf(file), file.length), (error) => error instanceof NexusError
      && sentence.test(error.message));
  });
}

test("an uncompressed node that is too short, or refers to a vertex that is not there, is refused", () => {
  const bytes = new Uint8Array(plainNode(box));
  const expected = { codec: "plain", vertices: box.positions.length, triangles: box.triangles.length, ends: [],
    attributes: { index: true } };
  assert.throws(() => decodeNode(bytes.subarray(0, 100), expected), NexusError);
  bytes[bytes.length - 1] = 9;
  assert.throws(() => decodeNode(bytes, expected), /vertex 23.. of 17|refers to vertex/);
  bytes.set([0, 0, 0xc0, 0x7f]);
  bytes[bytes.length - 1] = 0;
  assert.throws(() => decodeNode(bytes, expected), /not a number/);
});

test("the mutated streams include the shared models", { skip: missing }, () => void assert.ok(streams().length > 20));
