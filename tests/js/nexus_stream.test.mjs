/** Bytes by ranges from servers of several kinds, and a model that comes in parts through them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import test, { after, before } from "node:test";
import { decodeNode, NexusError } from "../../orthanc_stl/webassets/nexus/decoder/decode.js";
import { NexusModel } from "../../orthanc_stl/webassets/nexus/stream/model.js";
import { Source } from "../../orthanc_stl/webassets/nexus/stream/source.js";
import { plainNode, sphereOf, writeModel } from "./nexus_writer.mjs";
import { sphere } from "./shapes.mjs";

/** A sphere in four levels, one node each. */
function levels() {
  const sizes = [[4, 6], [8, 12], [24, 36], [60, 90]];
  return sizes.map(([rings, segments], i) => {
    const mesh = sphere(50, rings, segments);
    const triangles = mesh.triangles.length;
    return { bytes: plainNode(mesh), vertices: mesh.positions.length, triangles, error: 8 / 4 ** i,
      sphere: sphereOf(mesh.positions), patches: [{ node: i + 1, end: triangles }] };
  });
}

const FILE = writeModel(levels());
const ETAG = '"v1"';
let server;
let base;
let seen = [];

function answer(request, response) {
  const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
  seen.push([request.url, Number(first), Number(last), request.headers.authorization]);
  const kind = request.url.slice(1);
  const part = FILE.subarray(Number(first), Number(last) + 1);
  const partial = (etag = ETAG, range = `bytes ${first}-${Math.min(Number(last), FILE.length - 1)}/${FILE.length}`) => {
    response.writeHead(206, { "Content-Range": range, ETag: etag });
    response.end(part);
  };
  if (kind === "ranges") return partial();
  if (kind === "whole") return response.writeHead(200, { "Content-Length": FILE.length }).end(FILE);
  if (kind === "chunked") return response.writeHead(200).end(FILE);
  if (kind === "slow") return dribble(response);
  if (kind === "replaced") return partial(first === "0" ? ETAG : '"v2"');
  if (kind === "unsaid") return partial(ETAG, "");
  if (kind === "shifted") {
    return partial(ETAG, first === "0" ? undefined : `bytes ${Number(first) + 1}-${last}/${FILE.length}`);
  }
  if (kind === "broken") {
    return response.writeHead(206, { "Content-Range": `bytes 0-99999/${FILE.length}`, "Content-Length": 99999 })
      .end("x", () => response.destroy());
  }
  if (kind === "token") return response.writeHead(401).end();
  return response.writeHead(404, { "Content-Type": "text/plain" })
    .end('{"Details": "no instance x is stored in Orthanc"}');
}

/** The whole file, its second half only when it is asked for. */
let more;
function dribble(response) {
  response.writeHead(200, { "Content-Length": FILE.length });
  response.write(FILE.subarray(0, 20_000));
  more = () => response.end(FILE.subarray(20_000));
}

before(async () => {
  server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

const source = (kind, headers = {}) => new Source(`${base}/${kind}`, headers);
const bytesOf = async (from, begin, end) => Buffer.from(await from.range(begin, end));

for (const kind of ["ranges", "whole", "chunked"]) {
  test(`parts of the file from a server of the kind "${kind}"`, async () => {
    const from = await source(kind).open();
    assert.equal(from.size, FILE.length);
    for (const [begin, end] of [[0, 88], [100, 40_000], [32_768, 32_769], [32_000, 33_000],
      [FILE.length - 10, FILE.length], [5, 5]]) {
      assert.deepEqual(await bytesOf(from, begin, end), FILE.subarray(begin, end));
    }
  });
}

test("the beginning is asked for once", async () => {
  seen = [];
  const from = await source("ranges").open();
  await from.range(0, 32_000);
  await from.range(30_000, 40_000);
  assert.deepEqual(seen.map(([, first, last]) => [first, last]), [[0, 32_767], [32_768, 39_999]]);
  assert.equal(from.requests, 2);
});

test("each request carries the token", async () => {
  seen = [];
  const from = await source("ranges", { Authorization: "Bearer secret" }).open();
  await from.range(40_000, 40_100);
  assert.deepEqual(seen.map((one) => one[3]), ["Bearer secret", "Bearer secret"]);
});

test("of a file that comes as a whole, what has come is given out before the rest", async () => {
  const from = await source("slow").open();
  assert.deepEqual(await bytesOf(from, 0, 20_000), FILE.subarray(0, 20_000));
  const later = bytesOf(from, 15_000, 60_000);
  more();
  assert.deepEqual(await later, FILE.subarray(15_000, 60_000));
});

for (const [kind, words] of [["token", /signed in/], ["missing", /no instance x/], ["unsaid", /which part/],
  ["broken", /broke off/]]) {
  test(`a server of the kind "${kind}" is told in words`, async () => {
    await assert.rejects(source(kind).open(), (error) => error.name === "Error" && words.test(error.message));
  });
}

for (const [kind, words] of [["replaced", /replaced/], ["shifted", /another part/]]) {
  test(`a server of the kind "${kind}" is noticed later`, async () => {
    const from = await source(kind).open();
    await assert.rejects(from.range(40_000, 40_100), words);
  });
}

test("a server that is not there is told in words", async () => {
  await assert.rejects(new Source("http://127.0.0.1:9/x", {}).open(), /did not answer/);
});

/** Decodes in this thread what workers decode in a browser. */
const pool = {
  async decode({ task, bytes }) {
    return { ...decodeNode(bytes, task), pictures: [], troubles: [] };
  },
};

/** Calls `update` as frames do, until nothing more is under way. */
async function settle(model, pixelsOf, inSight = () => true) {
  for (let i = 0; i < 500; i++) {
    model.update(pixelsOf, inSight);
    if (model.asked.size === 0 && model.complete) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("the model does not settle");
}

const openModel = async (limits = {}) => NexusModel.open(source("ranges"), pool,
  { bytes: 1 << 30, triangles: 1e9, target: 1, ...limits });

test("levels come until the error is a pixel, from the coarsest to the finest", async () => {
  const model = await openModel();
  const order = [];
  model.onLoad = (i) => order.push(i);
  await settle(model, (node) => node.error * 4); // 32, 8, 2 and 0.5 pixels
  assert.deepEqual(order, [0, 1, 2]);
  assert.deepEqual([...model.selected], [1, 1, 1, 0]);
  assert.equal(model.drawn, model.nodes[2].triangles);
  await settle(model, (node) => node.error * 10);
  assert.deepEqual(order, [0, 1, 2, 3]);
});

test("what is out of sight waits", async () => {
  const model = await openModel();
  await settle(model, (node) => node.error * 100, (node) => node.error > 1);
  assert.deepEqual([...model.loaded.keys()].sort(), [0, 1]);
});

test("what is in sight gets finer also where it refines something that is out of sight", async () => {
  const mesh = sphere(50, 6, 8);
  const triangles = mesh.triangles.length;
  const node = (error, ...patches) =>
    ({ bytes: plainNode(mesh), vertices: mesh.positions.length, triangles, error, sphere: sphereOf(mesh.positions),
    patches });
  const whole = (finer) => ({ node: finer, end: triangles });
  const file = writeModel([node(8, { node: 1, end: triangles / 2 }, { node: 2, end: triangles }), node(4, whole(3)),
    node(4, whole(3)), node(2, whole(4))]);
  const model = await NexusModel.open(wholeOf(file), pool, { bytes: 1e9, triangles: 1e9, target: 1 });
  await settle(model, (one) => one.error * 10, (one) => one !== model.nodes[2]);
  assert.deepEqual([...model.selected], [1, 1, 1, 1]);
});

/** Handed out at once, whatever the file says. */
const wholeOf = (file) =>
  ({ size: file.length, open: async () => {}, range: async (begin, end) => new Uint8Array(file.subarray(begin, end)) });

test("memory is bounded: what is not drawn goes, the least needed first", async () => {
  const model = await openModel();
  await settle(model, (node) => node.error * 100);
  const largest = Math.max(...model.sizes);
  const dropped = [];
  model.onDrop = (i) => dropped.push(i);
  model.limits.bytes = model.bytes - 1;
  await settle(model, (node) => node.error * 4);
  assert.deepEqual(dropped, [3]);
  assert.ok(model.bytes <= model.limits.bytes);
  model.limits.bytes = largest; // too little for the finest
  await settle(model, (node) => node.error * 100);
  assert.ok(model.full && !model.loaded.has(3) && model.bytes <= largest);
});

/** A coarse sphere that two finer ones refine, one for each half of its triangles. */
function twoHalves() {
  const [coarse, fine] = [sphere(50, 6, 8), sphere(50, 12, 16)];
  const [whole, half] = [coarse, fine].map(
    (mesh) => ({ bytes: plainNode(mesh), vertices: mesh.positions.length, triangles: mesh.triangles.length,
    sphere: sphereOf(mesh.positions) }));
  const middle = coarse.triangles.length / 2;
  const leaf = { ...half, error: 4, patches: [{ node: 3, end: half.triangles }] };
  return writeModel([{ ...whole, error: 8, patches: [{ node: 1, end: middle }, { node: 2, end: whole.triangles }] },
    leaf, leaf]);
}

test("when memory is full, what comes into sight takes the place of what went out of it", async () => {
  const model = await NexusModel.open(wholeOf(twoHalves()), pool, { bytes: Infinity, triangles: 1e9, target: 1 });
  await settle(model, (node) => node.error * 100);
  model.limits.bytes = model.sizes[0] + model.sizes[1];
  let most = 0;
  model.onLoad = () => { most = Math.max(most, model.loaded.size); };
  for (const seen of [1, 2, 1]) {
    // So near that even what is out of sight is not fine enough yet.
    await settle(model, (node) => node.error * 1e5, (node) => node === model.nodes[0] || node === model.nodes[seen]);
    assert.deepEqual([...model.selected], [1, seen === 1 ? 1 : 0, seen === 2 ? 1 : 0]);
    assert.ok(model.bytes <= model.limits.bytes && model.full);
  }
  assert.equal(most, 2);
});

test("a node that takes more memory than expected is not fetched again and again", async () => {
  const model = await NexusModel.open(wholeOf(twoHalves()), pool, { bytes: Infinity, triangles: 1e9, target: 1 });
  const fetched = [];
  model.pool = { decode: async (job) =>
    ({ ...(await pool.decode(job)), pictures: [{ picture: { width: 1000, height: 1000 } }] }) };
  model.onLoad = (i) => fetched.push(i);
  model.limits.bytes = 12e6; // two of these pictures
  await settle(model, (node) => node.error * 100);
  assert.deepEqual(fetched.slice(0, 2), [0, 1]);
  assert.ok(fetched.length <= 3 && model.full && model.bytes <= 12e6);
});

test("a part that cannot be decoded is missed, the coarser one stays, and one can ask again", async () => {
  const model = await openModel();
  const { decode } = pool;
  const told = [];
  model.addEventListener("trouble", ({ detail }) => told.push(detail));
  pool.decode = (job) => (job.task.triangles === model.nodes[1].triangles ? Promise.reject(new NexusError("Bad part"))
    : decode(job));
  await settle(model, (node) => node.error * 100);
  pool.decode = decode;
  assert.deepEqual([...model.selected], [1, 0, 0, 0]);
  assert.deepEqual(told, [{ sentence: "Bad part", fatal: false }]);
  model.retry();
  await settle(model, (node) => node.error * 100);
  assert.deepEqual([...model.selected], [1, 1, 1, 1]);
});
