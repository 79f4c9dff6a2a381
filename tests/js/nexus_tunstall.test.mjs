import assert from "node:assert/strict";
import test from "node:test";
import { NexusError } from "../../orthanc_stl/webassets/nexus/decoder/errors.js";
import { Reader } from "../../orthanc_stl/webassets/nexus/decoder/reader.js";
import { tunstallBlock } from "../../orthanc_stl/webassets/nexus/decoder/tunstall.js";
import { Bytes } from "./bytes.mjs";
import { random } from "./random.mjs";
import { cortoDictionary, mecoDictionary, tunstallBytes } from "./tunstall_reference.mjs";

const read = (bytes, most, meco) => Array.from(tunstallBlock(new Reader(new Uint8Array(bytes)), most, meco));

/** Symbols with probabilities that fall by `ratio`, and a text of them. */
function sample(next, size, ratio) {
  const symbols = Array.from({ length: size }, (_, i) => (i * 7 + 3) % 256);
  const weights = symbols.map((_, i) => ratio ** i);
  const sum = weights.reduce((a, b) => a + b);
  const probabilities = weights.map((w) => Math.min(255, Math.round((255 * w) / sum)));
  const pick = () => {
    let x = next() * sum;
    return symbols[Math.max(0, weights.findIndex((w) => (x -= w) <= 0))];
  };
  return { symbols, probabilities, text: Array.from({ length: 1500 }, pick) };
}

for (const [kind, meco, dictionary] of [["Corto", false, cortoDictionary], ["MECO", true, mecoDictionary]]) {
  for (const size of [2, 3, 5, 6, 17, 60, 128, 200, 255]) {
    for (const ratio of [0.01, 0.04, 0.2, 0.7, 1]) {
      test(`${kind}: ${size} symbols, each ${ratio} times as likely as the one before`, () => {
        const { symbols, probabilities, text } = sample(random(size + ratio), size, ratio);
        const words = dictionary(symbols, probabilities);
        const bytes = tunstallBytes(text, symbols, probabilities, words);
        assert.deepEqual(read(bytes, text.length, meco), text);
      });
    }
  }
}

test("one symbol needs no codes, and no bytes need nothing", () => {
  assert.deepEqual(read(tunstallBytes([9, 9, 9], [9], [255]), 3), [9, 9, 9]);
  assert.deepEqual(read(new Bytes().u8(0).u32(0).u32(0).done(), 3), []);
});

const block = (n, codes, table = [1, 200, 2, 55]) => new Bytes().u8(table.length / 2, ...table).u32(n).u32(codes.length)
  .u8(...codes).done();

for (const [what, bytes] of Object.entries({
  "more bytes than can be needed": block(2 ** 31, [0]),
  "fewer bytes than announced": block(9, []),
  "codes after the last byte": block(1, [0, 0, 0, 0]),
  "no alphabet": block(4, [0], []),
  "an end in mid-code": block(4, [0, 0, 0]).subarray(0, 12),
})) {
  test(`a block with ${what} is an error`, () => void assert.throws(() => read(bytes, 1000), NexusError));
}
