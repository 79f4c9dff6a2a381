/** Triangles of a Corto stream, and for each vertex the three earlier ones that foretell it. */
import { NexusError } from './errors.js';
import { BOUNDARY, DELAY, END, Front, LEFT, RIGHT, SPLIT, VERTEX } from './front.js';

const front = new Front();

class Walk {
  /**
   * @param {Uint8Array} operations @param {import('./reader.js').BitReader} bits @param {number} vertices
   * @param {number} triangles
   */
  constructor(operations, bits, vertices, triangles) {
    this.operations = operations;
    this.at = 0;
    this.bits = bits;
    this.splitBits = 32 - Math.clz32(vertices); // floor(log2(vertices)) + 1
    this.vertices = vertices;
    this.found = 0;
    this.indices = new Uint16Array(3 * triangles);
    this.written = 0;
    this.a = new Int32Array(vertices);
    this.b = new Int32Array(vertices);
    this.c = new Int32Array(vertices);
  }

  operation() {
    if (this.at >= this.operations.length) throw new NexusError('The operations end before the triangles are complete');
    return this.operations[this.at++];
  }

  /** A new vertex, foretold as a + b - c. @param {number} a @param {number} b @param {number} c */
  vertex(a, b, c) {
    const number = this.found;
    if (number >= this.vertices) throw new NexusError(`More than the announced ${this.vertices} vertices appear`);
    this.a[number] = a;
    this.b[number] = b;
    this.c[number] = c;
    this.found = number + 1;
    return number;
  }

  /** A vertex that appeared before. */
  known() {
    const number = this.bits.checked(this.splitBits);
    if (number >= this.found) throw new NexusError(`Vertex ${number} is referred to, ${this.found} have appeared`);
    return number;
  }

  /** @param {number} a @param {number} b @param {number} c */
  triangle(a, b, c) {
    const at = this.written;
    this.indices[at] = a;
    this.indices[at + 1] = b;
    this.indices[at + 2] = c;
    this.written = at + 3;
  }

  /** The first triangle of a connected part. */
  component() {
    const operation = this.operation();
    let existing = 0;
    if (operation === SPLIT) existing = this.bits.checked(3);
    else if (operation !== VERTEX) throw new NexusError(`Operation ${operation} where a part of the surface begins`);
    const corner = [0, 0, 0];
    for (let k = 0; k < 3; k++) {
      const last = this.found - 1;
      corner[k] = existing & (1 << k) ? this.known() : this.vertex(last, last, last);
    }
    const [t0, t1, t2] = corner;
    this.triangle(t0, t1, t2);
    const first = front.edges;
    front.enqueue(front.add(t1, t2, t0, first + 2, first + 1));
    front.enqueue(front.add(t2, t0, t1, first, first + 2));
    front.enqueue(front.add(t0, t1, t2, first + 1, first));
  }

  /**
   * Walk on from an edge. Answers the edge to go on with, -1 if that is for the queue to say.
   * @param {number} edge @returns {number}
   */
  step(edge) {
    const operation = this.operation();
    switch (operation) {
      case VERTEX:
      case SPLIT:
        return this.fan(edge, operation);
      case LEFT:
        return this.left(edge);
      case RIGHT:
        return this.right(edge);
      case END:
        return this.end(edge);
      case DELAY:
        front.delay(edge);
        return -1;
      case BOUNDARY:
        return -1;
      default:
        throw new NexusError(`Operation ${operation} is none of the seven`);
    }
  }

  /** @param {number} edge @param {number} operation */
  fan(edge, operation) {
    const { v0, v1, v2, previous, next } = front;
    const [a, b] = [v0[edge], v1[edge]];
    const v = operation === VERTEX ? this.vertex(b, a, v2[edge]) : this.known();
    const [p, n] = [previous[edge], next[edge]];
    const id = front.edges;
    next[p] = id;
    previous[n] = id + 1;
    front.add(a, v, b, p, id + 1);
    front.enqueue(front.add(v, b, a, id, n));
    this.triangle(b, a, v);
    return id;
  }

  /** @param {number} edge */
  left(edge) {
    const { v0, v1, previous, next, dead } = front;
    const [a, b] = [v0[edge], v1[edge]];
    const [p, n] = [previous[edge], next[edge]];
    const v = v0[p];
    const q = previous[p];
    dead[p] = 1;
    next[q] = front.edges;
    previous[n] = front.edges;
    this.triangle(b, a, v);
    return front.add(v, b, a, q, n);
  }

  /** @param {number} edge */
  right(edge) {
    const { v0, v1, previous, next, dead } = front;
    const [a, b] = [v0[edge], v1[edge]];
    const [p, n] = [previous[edge], next[edge]];
    const v = v1[n];
    const q = next[n];
    dead[n] = 1;
    previous[q] = front.edges;
    next[p] = front.edges;
    this.triangle(b, a, v);
    return front.add(a, v, b, p, q);
  }

  /** @param {number} edge */
  end(edge) {
    const { v0, v1, previous, next, dead } = front;
    const [p, n] = [previous[edge], next[edge]];
    dead[p] = 1;
    dead[n] = 1;
    next[previous[p]] = next[n];
    previous[next[n]] = previous[p];
    this.triangle(v1[edge], v0[edge], v0[p]);
    return -1;
  }

  /**
   * The triangles up to number `until`; vertices, operations and bits run on from group to group.
   * @param {number} until
   */
  group(until) {
    front.reset(until - this.written / 3);
    let current = -1;
    while (this.written < 3 * until) {
      const edge = current >= 0 ? current : front.take();
      current = -1;
      if (edge < 0) this.component();
      else if (front.dead[edge] === 0) current = this.step(edge);
    }
  }
}

/**
 * @param {Uint8Array} operations
 * @param {import('./reader.js').BitReader} bits
 * @param {number[]} ends       of the groups, in triangles, ascending
 * @param {number} vertices
 * @param {number} triangles
 * @returns {{indices: Uint16Array<ArrayBuffer>, a: Int32Array, b: Int32Array, c: Int32Array}} (triangles × 3),
 *   and per vertex the earlier ones of its prediction a + b - c (-1 for vertex 0)
 */
export function walk(operations, bits, ends, vertices, triangles) {
  const walk = new Walk(operations, bits, vertices, triangles);
  for (const end of ends) walk.group(end);
  if (walk.written !== 3 * triangles) {
    throw new NexusError(`The groups hold ${walk.written / 3} of ${triangles} triangles`);
  }
  if (walk.found !== vertices) throw new NexusError(`${walk.found} of ${vertices} vertices appear in the triangles`);
  return walk;
}
