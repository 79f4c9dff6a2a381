/**
 * Filled cuts: where a plane goes through a closed surface, its inside is painted on the plane. The stencil buffer
 * counts back faces minus front faces behind the plane; what is not zero lies inside.
 */

import * as THREE from 'three';
import { clipping } from './part-mesh.js';

/** @param {THREE.Side} side @param {THREE.StencilOp} operation */
function counting(side, operation) {
  const material = new THREE.MeshBasicMaterial({ side, depthWrite: false, depthTest: false, colorWrite: false,
    transparent: true });
  Object.assign(material, { stencilWrite: true, stencilFunc: THREE.AlwaysStencilFunc, stencilFail: operation,
    stencilZFail: operation, stencilZPass: operation });
  material.clippingPlanes = clipping;
  return material;
}

export class Caps {
  /** @param {import('./stage.js').Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.group = new THREE.Group();
    stage.world.add(this.group);
    this.back = counting(THREE.BackSide, THREE.IncrementWrapStencilOp);
    this.front = counting(THREE.FrontSide, THREE.DecrementWrapStencilOp);
    this.quad = new THREE.PlaneGeometry(1, 1);
    /**
     * @type {WeakMap<import('./parts.js').Part, {passes: THREE.Mesh[], cap: THREE.Mesh<THREE.BufferGeometry,
     * THREE.MeshBasicMaterial>}>}
     */
    this.known = new WeakMap();
  }

  /** @param {import('./parts.js').Part[]} parts that are shown @param {THREE.Plane | null} plane null: no section */
  update(parts, plane) {
    this.group.clear();
    if (!plane) return;
    const size = this.stage.radius * 4;
    const at = plane.projectPoint(this.stage.centre, new THREE.Vector3());
    // The eye looks against the plane's normal: what it keeps lies behind the face.
    const turn = new THREE.Quaternion().setFromUnitVectors(new THREE.Vector3(0, 0, 1), plane.normal);
    const volume = (/** @type {import('./parts.js').Part} */ part) => part.model?.volume ?? 0;
    // Large first, so that what lies inside of something else is painted over it.
    const closed = parts.filter((part) => part.facts?.Closed !== false).sort((a, b) => volume(b) - volume(a));
    closed.forEach((part, i) => {
      const { passes, cap } = this.#of(part);
      passes.forEach((pass) => { pass.renderOrder = 2 * i; });
      cap.renderOrder = 2 * i + 1;
      cap.position.copy(at);
      cap.quaternion.copy(turn);
      cap.scale.setScalar(size);
      cap.material.color.setRGB(part.color[0] / 255, part.color[1] / 255, part.color[2] / 255,
        THREE.SRGBColorSpace).multiplyScalar(0.8);
      cap.material.opacity = Math.min(1, part.opacity + 0.25);
      this.group.add(...passes, cap);
    });
  }

  /** @param {import('./parts.js').Part} part */
  #of(part) {
    const known = this.known.get(part);
    if (known) return known;
    const object = /** @type {THREE.Mesh} */ (part.object);
    const passes = [this.back, this.front].map((material) => {
      const pass = new THREE.Mesh(object.geometry, material);
      pass.position.copy(object.position);
      return pass;
    });
    const material = new THREE.MeshBasicMaterial({ side: THREE.DoubleSide, transparent: true });
    Object.assign(material, { stencilWrite: true, stencilRef: 0, stencilFunc: THREE.NotEqualStencilFunc,
      stencilFail: THREE.ReplaceStencilOp, stencilZFail: THREE.ReplaceStencilOp,
        stencilZPass: THREE.ReplaceStencilOp });
    const cap = new THREE.Mesh(this.quad, material);
    cap.onAfterRender = (renderer) => renderer.clearStencil();
    const made = { passes, cap };
    this.known.set(part, made);
    return made;
  }
}
