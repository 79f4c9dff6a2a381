/** Solids as loose triangles, nine numbers each. */

/** A box from the origin to (x, y, z): 12 triangles that look outwards. */
export function box(x, y, z) {
  const p = (i) => [i & 1 ? x : 0, i & 2 ? y : 0, i & 4 ? z : 0];
  const quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
  return Float32Array.from(quads.flatMap(([a, b, c, d]) => [a, b, c, a, c, d].flatMap(p)));
}

/** A sphere of radius 1 as an n × 2n grid of triangles. */
export function sphere(n) {
  const at = (i, k) => {
    const theta = (Math.PI * i) / n, phi = (Math.PI * (k % (2 * n))) / n;
    return [Math.sin(theta) * Math.cos(phi), Math.sin(theta) * Math.sin(phi), Math.cos(theta)].map(
      (value) => Math.round(value * 1e6) / 1e6);
  };
  const corners = [];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 2 * n; k++) {
      corners.push(...at(i, k), ...at(i + 1, k), ...at(i + 1, k + 1), ...at(i, k), ...at(i + 1, k + 1),
        ...at(i, k + 1));
    }
  }
  return Float32Array.from(corners);
}
