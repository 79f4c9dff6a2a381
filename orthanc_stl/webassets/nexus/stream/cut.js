/**
 * What to draw: a cut through the levels of a model. A node is selected when it is loaded, all its parents are
 * selected, and its error shows on the screen; drawn are those patches of it whose finer node is not selected.
 */

/** @typedef {ReturnType<import('../decoder/container.js').readIndex>} Index */
/** @typedef {Pick<Index, 'nodes' | 'roots'> & {family: ReturnType<typeof family>}} Model */

/** A queue from which the largest key comes first. */
class Queue {
  constructor() {
    /** @type {{key: number, value: number}[]} */
    this.items = [];
  }

  /** @param {number} key @param {number} value */
  push(key, value) {
    const { items } = this;
    let at = items.push({ key, value }) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (items[up].key >= items[at].key) return;
      [items[up], items[at]] = [items[at], items[up]];
      at = up;
    }
  }

  pop() {
    const { items } = this;
    const top = items[0];
    const last = /** @type {{key: number, value: number}} */ (items.pop());
    if (items.length === 0) return top;
    items[0] = last;
    for (let at = 0; ;) {
      let most = 2 * at + 1;
      if (most >= items.length) return top;
      if (most + 1 < items.length && items[most + 1].key > items[most].key) most += 1;
      if (items[at].key >= items[most].key) return top;
      [items[at], items[most]] = [items[most], items[at]];
      at = most;
    }
  }
}

/**
 * Who refines whom, found once.
 * @param {Pick<Index, 'nodes' | 'sink'>} index
 * @returns {{children: number[][], parents: Int32Array, replaced: Int32Array}} per node: the nodes that refine it, how
 *   many it refines, and how many triangles (or points) of theirs it stands for
 */
export function family({ nodes, sink }) {
  const parents = new Int32Array(nodes.length);
  const replaced = new Int32Array(nodes.length);
  const children = nodes.map((node) => {
    const finer = new Set();
    for (const patch of node.patches) {
      if (patch.node === sink) continue;
      finer.add(patch.node);
      replaced[patch.node] += patch.end - patch.begin;
    }
    for (const child of finer) parents[child] += 1;
    return [...finer];
  });
  return { children, parents, replaced };
}

/** More nodes than this are not wanted at once: the view will have changed before they come. */
const WANTED = 24;

/**
 * @param {Model} model `nodes` and `roots` of the index, and its `family`
 * @param {(node: number) => number} errorOf the error of a node on the screen, in pixels
 * @param {(node: number) => boolean} isLoaded
 * @param {(node: number) => number} bytesOf what a node takes, or will take, in memory
 * @param {{target: number, triangles: number, bytes: number}} limits the error (px) that is good enough; how many
 *   triangles may be drawn; how much memory all that is selected and wanted may take: the most urgent comes first
 * @returns {{selected: Uint8Array, wanted: number[], drawn: number, full: boolean}}
 *   `wanted`: nodes to load, the most urgent first; `full`: a limit keeps finer ones away
 */
export function cut({ nodes, roots, family: { children, parents, replaced } }, errorOf, isLoaded, bytesOf, limits) {
  const selected = new Uint8Array(nodes.length);
  const missing = Int32Array.from(parents);
  const queue = new Queue();
  const wanted = [];
  let [drawn, taken, full] = [0, 0, false];
  for (let root = 0; root < roots; root++) queue.push(errorOf(root), root);
  while (queue.items.length > 0) {
    const { key: error, value: node } = queue.pop();
    const isRoot = node < roots;
    if (!isRoot && error < limits.target) break; // all that are left are finer still
    const more = (nodes[node].triangles || nodes[node].vertices) - replaced[node];
    taken += bytesOf(node);
    full = !isRoot && (drawn + more > limits.triangles || taken > limits.bytes);
    if (full) break;
    if (!isLoaded(node)) {
      wanted.push({ node, error });
      continue;
    }
    selected[node] = 1;
    drawn += more;
    for (const child of children[node]) {
      missing[child] -= 1;
      if (missing[child] === 0) queue.push(errorOf(child), child);
    }
  }
  // Nearly in order already; what is out of sight may come before a part of it that is in sight.
  wanted.sort((a, b) => b.error - a.error);
  return { selected, wanted: wanted.slice(0, WANTED).map(({ node }) => node), drawn, full };
}

/**
 * The parts of a selected node that nothing finer stands for.
 * @param {{patches: {node: number, begin: number, end: number, texture: number}[]}} node
 * @param {Uint8Array} selected
 * @returns {{begin: number, end: number, texture: number}[]} adjacent ones of the same texture as one
 */
export function visibleRanges(node, selected) {
  /** @type {{begin: number, end: number, texture: number}[]} */
  const ranges = [];
  for (const { node: finer, begin, end, texture } of node.patches) {
    if (selected[finer] || begin === end) continue;
    const last = ranges.at(-1);
    if (last && last.end === begin && last.texture === texture) last.end = end;
    else ranges.push({ begin, end, texture });
  }
  return ranges;
}
