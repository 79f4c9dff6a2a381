/** How a part looks: its mesh, its material, its edges, and the lights. */

import * as THREE from 'three';

/** What cuts the parts open: one list for all materials, empty or with one plane. @type {THREE.Plane[]} */
export const clipping = [];

/**
 * A mesh in patient coordinates (LPS, mm).
 * @param {import('./loader.js').Loaded} model @param {number[]} rgb 0..255 @param {number} opacity
 * @param {number} place in the list
 * @returns {THREE.Mesh<THREE.BufferGeometry, THREE.MeshStandardMaterial>}
 */
export function meshOf(model, rgb, opacity, place) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute('position', new THREE.BufferAttribute(model.positions, 3));
  geometry.setAttribute('normal', new THREE.BufferAttribute(model.normals, 3));
  geometry.setIndex(new THREE.BufferAttribute(model.index, 1));
  const half = new THREE.Vector3(...model.min.map((low, i) => (model.max[i] - low) / 2));
  geometry.boundingBox = new THREE.Box3(half.clone().negate(), half);
  geometry.boundingSphere = new THREE.Sphere(new THREE.Vector3(), Math.max(half.length(), 1e-3));
  const material = new THREE.MeshStandardMaterial({ roughness: 0.58, metalness: 0.02, side: THREE.DoubleSide });
  material.clippingPlanes = clipping;
  const mesh = new THREE.Mesh(geometry, material);
  mesh.position.fromArray(model.centre);
  // Among translucent parts the inner, smaller ones are drawn first.
  mesh.renderOrder = 100_000 + Math.round(geometry.boundingSphere.radius);
  // Files hold the same structure twice: which of two equal surfaces is seen is always the same one.
  Object.assign(material, { polygonOffset: true, polygonOffsetFactor: 0, polygonOffsetUnits: 64 * place });
  paint(mesh, rgb, opacity);
  return mesh;
}

/** @param {number} opacity @returns {THREE.Object3D} of which the graphics card makes the programs for such parts */
export function sample(opacity) {
  const nothing = { min: [0, 0, 0], max: [0, 0, 0], centre: [0, 0, 0], triangles: 0, volume: 0, area: 0,
    positions: new Float32Array(), normals: new Float32Array(), index: new Uint32Array() };
  return meshOf(nothing, [0, 0, 0], opacity, 0);
}

/**
 * @param {THREE.Mesh<THREE.BufferGeometry, THREE.MeshStandardMaterial>} mesh @param {number[]} rgb 0..255
 * @param {number} opacity
 */
export function paint({ material }, rgb, opacity) {
  material.color.setRGB(rgb[0] / 255, rgb[1] / 255, rgb[2] / 255, THREE.SRGBColorSpace);
  const translucent = opacity < 0.995;
  if (material.transparent !== translucent) {
    material.transparent = translucent;
    material.depthWrite = !translucent;
    material.needsUpdate = true;
  }
  material.opacity = opacity;
}

/**
 * The triangles' edges as lines, in typed arrays: three.js's own wireframe takes seconds and gigabytes for millions of
 * triangles.
 * @param {THREE.Mesh<THREE.BufferGeometry, THREE.MeshStandardMaterial>} mesh @returns {THREE.LineSegments}
 */
export function edgesOf(mesh) {
  const triangles = /** @type {THREE.BufferAttribute} */ (mesh.geometry.index).array;
  const edges = new Uint32Array(triangles.length * 2);
  for (let i = 0, out = 0; i < triangles.length; i += 3) {
    const a = triangles[i], b = triangles[i + 1], c = triangles[i + 2];
    edges[out++] = a;
    edges[out++] = b;
    edges[out++] = b;
    edges[out++] = c;
    edges[out++] = c;
    edges[out++] = a;
  }
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute('position', mesh.geometry.attributes.position);
  geometry.setAttribute('normal', mesh.geometry.attributes.normal);
  if (mesh.geometry.attributes.color) geometry.setAttribute('color', mesh.geometry.attributes.color);
  geometry.setIndex(new THREE.BufferAttribute(edges, 1));
  geometry.boundingSphere = mesh.geometry.boundingSphere;
  const lines = new THREE.LineSegments(geometry, mesh.material);
  lines.position.copy(mesh.position);
  return lines;
}

/**
 * Lights that stay with the viewer's eye, so no side of a model is ever dark.
 * @param {THREE.Scene} scene @param {THREE.Object3D} rig moves with the camera
 */
export function addLights(scene, rig) {
  /** @type {(color: number, intensity: number, x: number, y: number, z: number) => void} */
  const light = (color, intensity, x, y, z) => {
    const directional = new THREE.DirectionalLight(color, intensity);
    directional.position.set(x, y, z);
    rig.add(directional, directional.target);
  };
  light(0xfff4e8, 2.3, -0.7, 0.9, 1); // key, from the upper left
  light(0xe4eeff, 0.75, 1.1, -0.1, 0.7); // fill
  light(0xffffff, 1.3, 0.5, 0.9, -0.9); // rim, from behind
  scene.add(rig, new THREE.HemisphereLight(0xffffff, 0xcfc5bf, 0.8));
}
