/**
 * Which nodes are drawn: on models of one dimension, where a node is a stretch of a line, so that gaps are easily seen.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { cut, family, visibleRanges } from "../../orthanc_stl/webassets/nexus/stream/cut.js";
import { random } from "./random.mjs";

const LENGTH = 240; // triangles of the line

/**
 * Levels of a line, each cut at other places: a node's patches are its stretches within the nodes of the next level.
 */
function lineModel(next, levels) {
  const cells = Array.from({ length: levels }, (_, level) => {
    const cuts = new Set([0, LENGTH]);
    while (cuts.size < 2 ** level + 1) cuts.add(Math.floor(next() * LENGTH));
    const sorted = [...cuts].sort((a, b) => a - b);
    return sorted.slice(1).map((end, i) => [sorted[i], end]);
  });
  const first = cells.map((_, level) => cells.slice(0, level).reduce((sum, row) => sum + row.length, 0));
  const sink = cells.flat().length;
  const nodes = cells.flatMap((row, level) => row.map(([begin, end]) => {
    const finer = cells[level + 1]?.map(([b, e], i) => [Math.max(b, begin), Math.min(e, end), first[level + 1] + i])
      .filter(([b, e]) => b < e) ?? [[begin, end, sink]];
    const patches = finer.map(([b, e, node]) => ({ begin: b - begin, end: e - begin, node, texture: -1 }));
    return { level, begin, triangles: end - begin, vertices: 0, patches };
  }));
  return { nodes, sink, roots: 1, family: family({ nodes, sink }) };
}

const FREE = { target: 1, triangles: Infinity, bytes: Infinity };
const size = () => 1;

function coverage(model, selected) {
  const times = new Array(LENGTH).fill(0);
  model.nodes.forEach((node, i) => {
    if (!selected[i]) return;
    for (const { begin, end } of visibleRanges(node, selected)) {
      for (let at = begin; at < end; at++) times[node.begin + at] += 1;
    }
  });
  return times;
}

test("whatever is loaded and however large the errors are, everything is drawn once, and no node without its parents",
  () => {
  const next = random(3);
  for (let round = 0; round < 300; round++) {
    const model = lineModel(next, 6);
    const errors = model.nodes.map((node) => 2 ** (5 - node.level) * (0.5 + next()) * (next() < 0.2 ? 0.001 : 1));
    const loaded = model.nodes.map((_, i) => i === 0 || next() < 0.8);
    const { selected, wanted, drawn } = cut(model, (i) => errors[i], (i) => loaded[i], size, FREE);
    assert.deepEqual(coverage(model, selected), new Array(LENGTH).fill(1));
    assert.equal(drawn, LENGTH);
    model.nodes.forEach((node, i) => {
      if (selected[i]) assert.ok(loaded[i]);
      for (const patch of node.patches) {
        if (selected[patch.node]) assert.ok(selected[i], `node ${patch.node} without its parent ${i}`);
      }
    });
    for (const node of wanted) assert.ok(!loaded[node] && errors[node] >= 1);
    assert.deepEqual(wanted.map((node) => errors[node]), wanted.map((node) => errors[node]).sort((a, b) => b - a));
  }
});

test("everything that can be seen is wanted until it is loaded, and then nothing is", () => {
  const model = lineModel(random(4), 5);
  const loaded = new Set();
  for (let rounds = 0; ; rounds++) {
    const { wanted } = cut(model, (i) => 100 - model.nodes[i].level, (i) => loaded.has(i), size, FREE);
    if (wanted.length === 0) break;
    assert.ok(rounds < 100);
    loaded.add(wanted[0]);
  }
  assert.equal(loaded.size, model.nodes.length);
});

test("what is fine enough stays as it is, but the root is always drawn", () => {
  const model = lineModel(random(5), 4);
  const { selected, wanted } = cut(model, () => 0.5, () => true, size, FREE);
  assert.deepEqual([...selected].map((is, i) => is && i).filter((i) => i !== 0 && i !== false), []);
  assert.equal(selected[0], 1);
  assert.deepEqual(wanted, []);
});

test("no more triangles are drawn than are allowed", () => {
  // Two levels: the finer one has ten times the triangles.
  const nodes = [
    { triangles: 10, vertices: 0, patches: [{ node: 1, begin: 0, end: 5, texture: -1 },
      { node: 2, begin: 5, end: 10, texture: -1 }] },
    { triangles: 50, vertices: 0, patches: [{ node: 3, begin: 0, end: 50, texture: -1 }] },
    { triangles: 50, vertices: 0, patches: [{ node: 3, begin: 0, end: 50, texture: -1 }] },
  ];
  const model = { nodes, sink: 3, roots: 1, family: family({ nodes, sink: 3 }) };
  const chosen = (triangles) => {
    const { selected, full } = cut(model, (i) => 10 - i, () => true, size, { ...FREE, triangles });
    return [...selected, full];
  };
  assert.deepEqual(chosen(200), [1, 1, 1, false]);
  assert.deepEqual(chosen(60), [1, 1, 0, true]);
  assert.deepEqual(chosen(5), [1, 0, 0, true]);
});

test("all that is selected and wanted fits into memory, and the most urgent has it", () => {
  const next = random(6);
  for (let round = 0; round < 200; round++) {
    const model = lineModel(next, 6);
    const errors = model.nodes.map((node) => 2 ** (8 - node.level) * (0.5 + next()));
    const sizes = model.nodes.map(() => 1 + Math.floor(next() * 9));
    const loaded = model.nodes.map((_, i) => i === 0 || next() < 0.8);
    const { selected, wanted } = cut(model, (i) => errors[i], (i) => loaded[i], (i) => sizes[i],
      { ...FREE, bytes: 60 });
    const kept = [...model.nodes.keys()].filter((i) => selected[i] || wanted.includes(i));
    assert.ok(kept.reduce((sum, i) => sum + sizes[i], 0) <= 60);
    assert.deepEqual(coverage(model, selected), new Array(LENGTH).fill(1));
  }
});

test("adjacent patches become one range unless their textures differ", () => {
  const patch = (node, begin, end, texture = -1) => ({ node, begin, end, texture });
  const node = { patches: [patch(1, 0, 4), patch(2, 4, 9), patch(3, 9, 9), patch(4, 9, 12, 5), patch(5, 12, 20, 5)] };
  const selected = [0, 0, 0, 0, 0, 0];
  assert.deepEqual(visibleRanges(node, selected),
    [{ begin: 0, end: 9, texture: -1 }, { begin: 9, end: 20, texture: 5 }]);
  assert.deepEqual(visibleRanges(node, [0, 0, 1, 0, 0, 0]),
    [{ begin: 0, end: 4, texture: -1 }, { begin: 9, end: 20, texture: 5 }]);
  assert.deepEqual(visibleRanges(node, [0, 1, 1, 0, 1, 1]), []);
});
