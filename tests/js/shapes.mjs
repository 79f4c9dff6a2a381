/** Meshes whose geometry is known: positions (n × 3), triangles (m × 3), as plain arrays. */

/** A sphere of rings × segments quads, closed: vertices (rings - 1) × segments + 2. */
export function sphere(radius, rings, segments, centre = [0, 0, 0]) {
  const positions = [[0, 0, radius]];
  for (let r = 1; r < rings; r++) {
    const t = (Math.PI * r) / rings;
    for (let s = 0; s < segments; s++) {
      const p = (2 * Math.PI * s) / segments;
      positions.push([radius * Math.sin(t) * Math.cos(p), radius * Math.sin(t) * Math.sin(p), radius * Math.cos(t)]);
    }
  }
  const south = positions.push([0, 0, -radius]) - 1;
  const at = (r, s) => 1 + (r - 1) * segments + (s % segments);
  const triangles = [];
  for (let s = 0; s < segments; s++) {
    triangles.push([0, at(1, s), at(1, s + 1)], [south, at(rings - 1, s + 1), at(rings - 1, s)]);
    for (let r = 1; r < rings - 1; r++) {
      triangles.push([at(r, s), at(r + 1, s), at(r + 1, s + 1)], [at(r, s), at(r + 1, s + 1), at(r, s + 1)]);
    }
  }
  return { positions: positions.map((p) => p.map((x, k) => x + centre[k])), triangles };
}

/** A torus: closed, of genus one, so that the front meets itself. */
export function torus(major, minor, n, m) {
  const positions = [];
  const triangles = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const [u, v] = [(2 * Math.PI * i) / n, (2 * Math.PI * j) / m];
      positions.push([(major + minor * Math.cos(v)) * Math.cos(u), (major + minor * Math.cos(v)) * Math.sin(u),
        minor * Math.sin(v)]);
      const at = (a, b) => ((i + a) % n) * m + ((j + b) % m);
      triangles.push([at(0, 0), at(1, 0), at(1, 1)], [at(0, 0), at(1, 1), at(0, 1)]);
    }
  }
  return { positions, triangles };
}

/** A flat grid of n × n squares with a hole in the middle: open, with two borders. */
export function sheet(n, spacing = 1) {
  const positions = [];
  const triangles = [];
  for (let y = 0; y <= n; y++) for (let x = 0; x <= n; x++) positions.push([x * spacing, y * spacing, 0]);
  const hole = (x, y) => Math.abs(x - (n - 1) / 2) < n / 6 && Math.abs(y - (n - 1) / 2) < n / 6;
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      if (hole(x, y)) continue;
      const a = y * (n + 1) + x;
      triangles.push([a, a + 1, a + n + 2], [a, a + n + 2, a + n + 1]);
    }
  }
  return used({ positions, triangles });
}

/** Several meshes as one. */
export function together(...meshes) {
  const positions = [];
  const triangles = [];
  for (const mesh of meshes) {
    const from = positions.length;
    positions.push(...mesh.positions);
    triangles.push(...mesh.triangles.map((t) => t.map((v) => v + from)));
  }
  return { positions, triangles };
}

/** Without the vertices that no triangle uses. */
function used({ positions, triangles }) {
  const numbers = new Map();
  for (const v of triangles.flat()) if (!numbers.has(v)) numbers.set(v, numbers.size);
  return { positions: [...numbers.keys()].map((v) => positions[v]),
    triangles: triangles.map((t) => t.map((v) => numbers.get(v))) };
}
