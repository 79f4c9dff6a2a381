/**
 * node finest_level.mjs model.nxz > triangles: the finest level as the viewer's decoder has it, three corners of three
 * float32 for each triangle. What the whole file holds goes to standard error, as JSON.
 */
import { readFileSync } from "node:fs";
import { decodeNode, readIndex, task } from "../../orthanc_stl/webassets/nexus/decoder/decode.js";

const file = readFileSync(process.argv[2]);
const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
const model = readIndex(buffer, buffer.byteLength);
const corners = [];
const totals = { vertices: 0, triangles: 0, roots: model.roots };
for (const node of model.nodes) {
  const { position, index } = decodeNode(new Uint8Array(buffer, node.begin, node.end - node.begin),
    task(model.header, node));
  totals.vertices += position.length / 3;
  totals.triangles += index.length / 3;
  for (const patch of node.patches.filter((each) => each.node === model.sink)) {
    for (let at = 3 * patch.begin; at < 3 * patch.end; at++) {
      corners.push(...position.subarray(3 * index[at], 3 * index[at] + 3));
    }
  }
}
process.stderr.write(JSON.stringify(totals));
process.stdout.write(Buffer.from(Float32Array.from(corners).buffer));
