/** How a model looks: its mesh, the material with the cut face, the lights, and finding the point under the mouse. */

import * as THREE from 'three';

/**
 * Where a closed surface is cut open, one looks at its inside; painting the inside in one flat colour gives the
 * very picture of a filled cut face, for no cost. (A ray that enters through the cut inside the solid next meets
 * the surface from behind; one that enters outside of it meets a front.)
 */
function withCutFace(material) {
  material.userData.cut = { value: 0 };
  material.userData.cutColor = { value: new THREE.Color() };
  material.onBeforeCompile = (shader) => {
    shader.uniforms.cut = material.userData.cut;
    shader.uniforms.cutColor = material.userData.cutColor;
    shader.fragmentShader = `uniform float cut;\nuniform vec3 cutColor;\n${shader.fragmentShader}`.replace(
      '#include <opaque_fragment>',
      '#include <opaque_fragment>\nif (cut > 0.5 && !gl_FrontFacing) gl_FragColor = vec4(cutColor, 1.0);');
  };
}

/** A mesh in patient coordinates (LPS, mm). @param {object} model from load.js @param {number[]} rgb */
export function surfaceOf(model, rgb) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute('position', new THREE.BufferAttribute(model.positions, 3));
  geometry.setAttribute('normal', new THREE.BufferAttribute(model.normals, 3));
  geometry.setIndex(new THREE.BufferAttribute(model.index, 1));
  const half = model.min.map((low, i) => (model.max[i] - low) / 2);
  geometry.boundingBox = new THREE.Box3(new THREE.Vector3(...half).negate(), new THREE.Vector3(...half));
  geometry.boundingSphere = new THREE.Sphere(new THREE.Vector3(), Math.max(Math.hypot(...half), 1e-3));
  const material = new THREE.MeshStandardMaterial({ roughness: 0.58, metalness: 0.02, side: THREE.DoubleSide });
  material.color.setRGB(...rgb.map((value) => value / 255), THREE.SRGBColorSpace);
  withCutFace(material);
  const darker = material.color.clone().multiplyScalar(0.55);
  material.userData.cutColor.value.copy(darker);
  const mesh = new THREE.Mesh(geometry, material);
  mesh.position.fromArray(model.centre);
  return mesh;
}

/** The triangles' edges as lines, in typed arrays: three.js's own wireframe takes seconds and gigabytes for millions of triangles. */
export function edgesOf(mesh) {
  const triangles = mesh.geometry.index.array;
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
  geometry.setIndex(new THREE.BufferAttribute(edges, 1));
  geometry.boundingSphere = mesh.geometry.boundingSphere;
  const lines = new THREE.LineSegments(geometry, mesh.material);
  lines.position.copy(mesh.position);
  return lines;
}

/** Lights that stay with the viewer's eye, so no side of a model is ever dark. @param {THREE.Object3D} rig moves with the camera */
export function addLights(scene, rig) {
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

const PICK_VERTEX = `
uniform vec2 range;
varying float depth;
#include <clipping_planes_pars_vertex>
void main() {
  vec4 mvPosition = modelViewMatrix * vec4(position, 1.0);
  depth = (-mvPosition.z - range.x) / (range.y - range.x);
  gl_Position = projectionMatrix * mvPosition;
  #include <clipping_planes_vertex>
}`;

const PICK_FRAGMENT = `
varying float depth;
#include <clipping_planes_pars_fragment>
void main() {
  #include <clipping_planes_fragment>
  float steps = clamp(depth, 0.0, 1.0) * 16777215.0;
  gl_FragColor = vec4(floor(steps / 65536.0), floor(mod(steps / 256.0, 256.0)), floor(mod(steps, 256.0)), 255.0) / 255.0;
}`;

/**
 * Finds the point of the surface under a pixel by drawing that one pixel with the depth as its colour: as quick for
 * millions of triangles as for a hundred, and it knows what is cut away.
 */
export class Picker {
  constructor(renderer) {
    this.renderer = renderer;
    this.target = new THREE.WebGLRenderTarget(1, 1);
    this.material = new THREE.ShaderMaterial({
      vertexShader: PICK_VERTEX, fragmentShader: PICK_FRAGMENT, side: THREE.DoubleSide, clipping: true,
      uniforms: { range: { value: new THREE.Vector2() } },
    });
    this.scene = new THREE.Scene();
  }

  /**
   * @param {THREE.Mesh} mesh @param {THREE.Camera} camera @param {number} x @param {number} y pixels from the upper left
   * @param {number} width @param {number} height of the canvas, in the same pixels
   * @returns {THREE.Vector3 | null} in patient coordinates, to about 1/10,000,000 of the depth of the view
   */
  pick(mesh, camera, x, y, width, height) {
    this.material.uniforms.range.value.set(camera.near, camera.far);
    this.material.clippingPlanes = mesh.material.clippingPlanes;
    const double = new THREE.Mesh(mesh.geometry, this.material);
    double.position.copy(mesh.position);
    this.scene.add(double);
    const color = new THREE.Color();
    const alpha = this.renderer.getClearAlpha();
    this.renderer.getClearColor(color);
    this.renderer.setClearColor(0, 0);
    camera.setViewOffset(width, height, x, y, 1, 1);
    this.renderer.setRenderTarget(this.target);
    this.renderer.render(this.scene, camera);
    const pixel = new Uint8Array(4);
    this.renderer.readRenderTargetPixels(this.target, 0, 0, 1, 1, pixel);
    this.renderer.setRenderTarget(null);
    camera.clearViewOffset();
    this.renderer.setClearColor(color, alpha);
    this.scene.remove(double);
    if (pixel[3] === 0) return null;
    const fraction = (pixel[0] * 65536 + pixel[1] * 256 + pixel[2]) / 16777215;
    return pointAt(camera, ((x + 0.5) / width) * 2 - 1, 1 - ((y + 0.5) / height) * 2, camera.near + fraction * (camera.far - camera.near));
  }
}

/** The point at a distance (along the line of sight) behind normalised screen coordinates. */
function pointAt(camera, ndcX, ndcY, distance) {
  const point = new THREE.Vector3(ndcX, ndcY, 0).applyMatrix4(camera.projectionMatrixInverse);
  if (camera.isPerspectiveCamera) point.multiplyScalar(distance / -point.z);
  else point.z = -distance;
  return point.applyMatrix4(camera.matrixWorld);
}
