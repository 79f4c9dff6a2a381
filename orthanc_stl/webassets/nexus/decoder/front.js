/** The arrays with one entry for each edge. */
const FIELDS = /** @type {const} */ (['v0', 'v1', 'v2', 'previous', 'next', 'queue', 'delayed']);

/**
 * The front: the border of what has been decoded so far, along which both decoders walk.
 *
 * A directed edge has its two vertices, the vertex opposite to it, and its neighbours along the border. The arrays
 * are made once and grow to the largest node seen; one node is decoded at a time.
 */
export class Front {
  constructor() {
    this.capacity = 0;
    this.v0 = new Int32Array(0);
    this.v1 = new Int32Array(0);
    this.v2 = new Int32Array(0);
    this.previous = new Int32Array(0);
    this.next = new Int32Array(0);
    this.queue = new Int32Array(0);
    this.delayed = new Int32Array(0);
    this.dead = new Uint8Array(0);
    this.edges = 0;
    this.queueHead = 0;
    this.queueTail = 0;
    this.stack = 0;
    this.grow(4096);
  }

  /** @param {number} capacity */
  grow(capacity) {
    for (const field of FIELDS) {
      const larger = new Int32Array(capacity);
      if (this.capacity > 0) larger.set(this[field]);
      this[field] = larger;
    }
    const dead = new Uint8Array(capacity);
    if (this.capacity > 0) dead.set(this.dead);
    this.dead = dead;
    this.capacity = capacity;
  }

  /**
   * Each group of triangles begins with nothing. At most three edges come with a triangle.
   * @param {number} triangles
   */
  reset(triangles) {
    if (3 * triangles + 3 > this.capacity) this.grow(3 * triangles + 3);
    this.edges = 0;
    this.queueHead = 0;
    this.queueTail = 0;
    this.stack = 0;
  }

  /** @param {number} v0 @param {number} v1 @param {number} v2 @param {number} previous @param {number} next */
  add(v0, v1, v2, previous, next) {
    const edge = this.edges++;
    this.v0[edge] = v0;
    this.v1[edge] = v1;
    this.v2[edge] = v2;
    this.previous[edge] = previous;
    this.next[edge] = next;
    this.dead[edge] = 0;
    return edge;
  }

  /** @param {number} edge */
  enqueue(edge) {
    this.queue[this.queueTail++] = edge;
  }

  /** @param {number} edge */
  delay(edge) {
    this.delayed[this.stack++] = edge;
  }

  /** The next edge to walk on: in order of appearance, then the delayed ones from the last; -1 if there is none. */
  take() {
    if (this.queueHead < this.queueTail) return this.queue[this.queueHead++];
    return this.stack > 0 ? this.delayed[--this.stack] : -1;
  }
}

/** VERTEX ... SPLIT: what comes next at an edge of the front. */
export const VERTEX = 0;
export const LEFT = 1;
export const RIGHT = 2;
export const END = 3;
export const BOUNDARY = 4;
export const DELAY = 5;
export const SPLIT = 6;
