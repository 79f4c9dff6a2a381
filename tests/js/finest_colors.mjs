/** node finest_colors.mjs model.nxz: the colors in the model, each once, as JSON. */
import { readFileSync } from "node:fs";
import { decodeNode, readIndex, task } from "../../orthanc_stl/webassets/nexus/decoder/decode.js";

const file = readFileSync(process.argv[2]);
const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
const model = readIndex(buffer, buffer.byteLength);
const seen = new Set();
for (const node of model.nodes) {
  const { color } = decodeNode(new Uint8Array(buffer, node.begin, node.end - node.begin), task(model.header, node));
  for (let at = 0; at < (color?.length ?? 0); at += 4) seen.add([...color.subarray(at, at + 4)].join());
}
console.log(JSON.stringify([...seen].sort()));
