/**
 * node benchmarks/nexus_decode.mjs [model.nxz ...]
 *
 * How many triangles a second one worker decodes, of each model and of all; without arguments of the models in
 * ../shared/data/nexus (or the folder named by ORTHANC_STL_DATA). All nodes of a model are decoded again and again, in a
 * worker thread as in the browser, where V8 is the same; the median of the rounds counts, by the time of the processor.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { decodeNode, readIndex, task } from "../orthanc_stl/webassets/nexus/decoder/decode.js";
import { MODELS, pathOf } from "../tests/js/data.mjs";

const ROUNDS = 15;
const SECONDS_A_ROUND = 0.15;
const WANTED = 1.5e6; // triangles a second: a node of 32,768 in 22 ms

function nodesOf(file) {
  const bytes = readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const model = readIndex(buffer, buffer.byteLength);
  return {
    codec: model.header.codec || "plain",
    triangles: model.header.triangles,
    nodes: model.nodes.map((node) => [new Uint8Array(buffer, node.begin, node.end - node.begin), task(model.header, node)]),
  };
}

/** Seconds of a processor: what others do on the machine does not count. */
const processorSeconds = () => process.cpuUsage().user / 1e6;

function speed({ nodes, triangles }) {
  const rates = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = processorSeconds();
    let times = 0;
    for (; processorSeconds() - begin < SECONDS_A_ROUND; times++) for (const [bytes, what] of nodes) decodeNode(bytes, what);
    rates.push((times * triangles) / (processorSeconds() - begin));
  }
  return rates.sort((a, b) => a - b)[ROUNDS >> 1];
}

function report(results) {
  console.log("model                     codec  triangles   million triangles a second");
  for (const { name, codec, triangles, rate } of results) {
    console.log(`${name.padEnd(25)} ${codec.padEnd(6)} ${String(triangles).padStart(9)} ${(rate / 1e6).toFixed(2).padStart(10)}`);
  }
  const large = results.filter((one) => one.codec === "corto" && one.triangles > 10_000).map((one) => one.rate);
  if (large.length === 0) return;
  const slowest = Math.min(...large);
  console.log(`slowest Corto model of more than 10,000 triangles: ${(slowest / 1e6).toFixed(2)} million a second (${(WANTED / 1e6).toFixed(1)} wanted)`);
  process.exitCode = slowest < WANTED ? 1 : 0;
}

if (isMainThread) {
  const files = process.argv.length > 2 ? process.argv.slice(2) : MODELS.map(pathOf);
  if (files.length === 0) throw new Error("Name a model, or the folder of the shared data by ORTHANC_STL_DATA");
  new Worker(new URL(import.meta.url), { workerData: files }).on("message", report);
} else {
  parentPort.postMessage(workerData.map((file) => {
    const model = nodesOf(file);
    return { name: basename(file), codec: model.codec, triangles: model.triangles, rate: speed(model) };
  }));
}
