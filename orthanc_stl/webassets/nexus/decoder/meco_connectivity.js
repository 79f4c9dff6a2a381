/** Triangles and vertices of a MECO node: here a vertex comes with the operation that needs it. */
import { NexusError } from './errors.js';
import { BOUNDARY, DELAY, END, LEFT, RIGHT, VERTEX } from './front.js';
import { BitReader } from './reader.js';
import { tunstallBlock } from './tunstall.js';

/** No encoder writes wider differences; coordinates are 32-bit integers. */
const WIDEST = 31;

/** The front of MECO: a double-ended queue, new edges first; then the delayed ones, last first. */
class Border {
  /** @param {number} triangles */
  constructor(triangles) {
    const capacity = 3 * triangles + 3;
    this.v0 = new Int32Array(capacity);
    this.v1 = new Int32Array(capacity);
    this.v2 = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.dead = new Uint8Array(capacity);
    this.edges = 0;
    /** @type {number[]} */
    this.first = []; // a stack: what was put in front last comes first
    /** @type {number[]} */
    this.later = [];
    this.at = 0;
    /** @type {number[]} */
    this.delayed = [];
  }

  /** @param {number} v0 @param {number} v1 @param {number} v2 @param {number} previous @param {number} next */
  add(v0, v1, v2, previous, next) {
    const edge = this.edges++;
    this.v0[edge] = v0;
    this.v1[edge] = v1;
    this.v2[edge] = v2;
    this.previous[edge] = previous;
    this.next[edge] = next;
    return edge;
  }

  take() {
    if (this.first.length > 0) return /** @type {number} */ (this.first.pop());
    if (this.at < this.later.length) return this.later[this.at++];
    return this.delayed.length > 0 ? /** @type {number} */ (this.delayed.pop()) : -1;
  }

  /** @param {number} edge @param {number} previous @param {number} next */
  link(edge, previous, next) {
    this.next[previous] = edge;
    this.previous[next] = edge;
  }
}

export class MecoWalk {
  /** @param {{vertices: number, triangles: number, uv: boolean}} node */
  constructor({ vertices, triangles, uv }) {
    this.vertices = vertices;
    this.found = 0;
    this.position = new Int32Array(3 * vertices);
    this.uv = uv ? new Int32Array(2 * vertices) : null;
    this.last = new Int32Array(vertices); // the vertex whose colour foretells this one's
    this.index = new Uint16Array(3 * triangles);
    this.written = 0;
    // Of the patch that is being read.
    /** @type {Uint8Array} */
    this.operations = new Uint8Array(0);
    /** @type {Uint8Array} */
    this.widths = new Uint8Array(0);
    /** @type {Uint8Array} */
    this.uvWidths = new Uint8Array(0);
    this.bits = new BitReader(new Uint32Array(0));
    this.operationAt = 0;
    this.widthAt = 0;
    this.uvWidthAt = 0;
    this.front = new Border(0);
  }

  /**
   * One patch: its blocks, then the triangles up to number `until`.
   * @param {import('./reader.js').Reader} reader @param {number} until
   */
  patch(reader, until) {
    const triangles = until - this.written / 3;
    this.operations = tunstallBlock(reader, 64 * triangles + 64, true);
    this.widths = tunstallBlock(reader, 3 * triangles, true);
    this.uvWidths = this.uv ? tunstallBlock(reader, 3 * triangles, true) : new Uint8Array(0);
    this.bits = reader.bits(64);
    this.operationAt = 0;
    this.widthAt = 0;
    this.uvWidthAt = 0;
    this.front = new Border(triangles);
    while (this.written < 3 * until) {
      const edge = this.front.take();
      if (edge < 0) this.component();
      else if (this.front.dead[edge] === 0) this.step(edge);
    }
  }

  /** @param {number} a @param {number} b @param {number} c */
  triangle(a, b, c) {
    this.index.set([a, b, c], this.written);
    this.written += 3;
  }

  /** @param {Uint8Array} widths @param {number} at */
  width(widths, at) {
    if (at >= widths.length) throw new NexusError('The widths of the vertices end before the triangles are complete');
    if (widths[at] > WIDEST) {
      throw new NexusError(`A difference of ${widths[at]} bits, at most ${WIDEST} were expected`);
    }
    return widths[at];
  }

  /**
   * @param {Int32Array} values @param {number} at @param {number} count @param {number} width
   * @param {(component: number) => number} prediction
   */
  differences(values, at, count, width, prediction) {
    this.bits.need(count * width);
    const middle = width === 0 ? 0 : 2 ** (width - 1);
    for (let k = 0; k < count; k++) values[at + k] = this.bits.read(width) - middle + prediction(k);
  }

  /**
   * The next vertex, new or known, foretold as a + b - c (a < 0: nothing is known; b < 0: as a).
   * A known one is told by its number, after a width of 0.
   * @param {number} a @param {number} b @param {number} c @param {number} last
   */
  vertex(a, b, c, last) {
    const width = this.width(this.widths, this.widthAt++);
    if (width === 0) {
      const known = this.bits.checked(16);
      if (known >= this.found) throw new NexusError(`Vertex ${known} is referred to, ${this.found} have appeared`);
      return known;
    }
    const number = this.found++;
    if (number >= this.vertices) throw new NexusError(`More than the announced ${this.vertices} vertices appear`);
    const foretell = (/** @type {Int32Array} */ values, /** @type {number} */ size) => (/** @type {number} */ k) => {
      if (a < 0) return 0;
      return b < 0 ? values[size * a + k] : values[size * a + k] + values[size * b + k] - values[size * c + k];
    };
    this.differences(this.position, 3 * number, 3, width, foretell(this.position, 3));
    if (this.uv) {
      const uvWidth = this.width(this.uvWidths, this.uvWidthAt++);
      this.differences(this.uv, 2 * number, 2, uvWidth, foretell(this.uv, 2));
    }
    this.last[number] = last;
    return number;
  }

  component() {
    const corner = [-1, -1, -1];
    let last = -1;
    for (let k = 0; k < 3; k++) {
      last = this.vertex(last, -1, -1, last);
      corner[k] = last;
    }
    const [t0, t1, t2] = corner;
    this.triangle(t0, t1, t2);
    const front = this.front;
    const b = front.edges;
    front.later.push(front.add(t1, t2, t0, b + 2, b + 1));
    front.later.push(front.add(t2, t0, t1, b, b + 2));
    front.later.push(front.add(t0, t1, t2, b + 1, b));
  }

  /** @param {number} edge */
  step(edge) {
    if (this.operationAt >= this.operations.length) {
      throw new NexusError('The operations end before the triangles are complete');
    }
    const operation = this.operations[this.operationAt++];
    const front = this.front;
    front.dead[edge] = 1; // taken
    if (operation === BOUNDARY) return;
    if (operation === DELAY) {
      front.dead[edge] = 0;
      front.delayed.push(edge);
      return;
    }
    const [v0, v1, v2] = [front.v0[edge], front.v1[edge], front.v2[edge]];
    const [p, n] = [front.previous[edge], front.next[edge]];
    const id = front.edges;
    let v;
    if (operation === VERTEX) {
      v = this.vertex(v0, v1, v2, v1);
      front.next[p] = id;
      front.previous[n] = id + 1;
      front.first.push(front.add(v0, v, v1, p, id + 1));
      front.later.push(front.add(v, v1, v0, id, n));
    } else if (operation === LEFT) {
      v = front.v0[p];
      front.dead[p] = 1;
      front.link(id, front.previous[p], n);
      front.first.push(front.add(v, v1, v0, front.previous[p], n));
    } else if (operation === RIGHT) {
      v = front.v1[n];
      front.dead[n] = 1;
      front.link(id, p, front.next[n]);
      front.first.push(front.add(v0, v, v1, p, front.next[n]));
    } else if (operation === END) {
      v = front.v0[p];
      front.dead[p] = 1;
      front.dead[n] = 1;
      front.next[front.previous[p]] = front.next[n];
      front.previous[front.next[n]] = front.previous[p];
    } else throw new NexusError(`Operation ${operation} is none of MECO's six`);
    this.triangle(v1, v0, v);
  }
}
