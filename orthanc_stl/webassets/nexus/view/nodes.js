/** The loaded parts of a model on the graphics card, and finding the point of them under the mouse. */

import * as THREE from 'three';
import { rayOnCloud, rayOnTriangles } from './ray.js';

/** @typedef {import('../worker.js').DecodedNode} DecodedNode */
/**
 * @typedef {object} Part
 * @property {THREE.Mesh | THREE.Points} object
 * @property {Map<number, THREE.Texture<ImageBitmap>>} textures by their numbers
 * @property {boolean} cloud @property {boolean} normals @property {boolean} colours
 * @property {number[]} numbers of the textures, as the groups of the geometry count them; -1: none
 */

export class Nodes {
  /** @param {import('../stream/model.js').NexusModel} model @param {import('./materials.js').Materials} materials */
  constructor(model, materials) {
    this.model = model;
    this.materials = materials;
    this.group = new THREE.Group();
    /** @type {Map<number, Part>} */
    this.parts = new Map();
    this.box = new THREE.Box3();
    this.changed = true;
    model.onLoad = (i, node) => this.#add(i, node);
    model.onDrop = (i) => this.#drop(i);
  }

  /** @param {number} i @param {DecodedNode} node */
  #add(i, node) {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute('position', new THREE.BufferAttribute(node.position, 3));
    if (node.normal) geometry.setAttribute('normal', new THREE.BufferAttribute(node.normal, 3, true));
    if (node.color) geometry.setAttribute('color', new THREE.BufferAttribute(node.color, 4, true));
    if (node.uv) geometry.setAttribute('uv', new THREE.BufferAttribute(node.uv, 2));
    if (node.index) geometry.setIndex(new THREE.BufferAttribute(node.index, 1));
    const { centre, tightRadius } = this.model.nodes[i];
    const origin = this.model.header.centre;
    geometry.boundingSphere = new THREE.Sphere(new THREE.Vector3(...centre.map((x, k) => x - origin[k])),
      tightRadius * 1.02);
    this.box.union(new THREE.Box3(new THREE.Vector3(...node.box.min), new THREE.Vector3(...node.box.max)));
    const object = node.index ? new THREE.Mesh(geometry) : new THREE.Points(geometry);
    const textures = new Map(node.pictures.map(({ texture, picture }) => [texture, textureOf(picture)]));
    const part = { object, textures, cloud: !node.index, normals: Boolean(node.normal), colours: Boolean(node.color),
      numbers: [-1, ...textures.keys()] };
    this.parts.set(i, part);
    this.#dress(part);
    this.group.add(object);
  }

  /** One material for what has no texture, one for each texture. @param {Part} part */
  #dress(part) {
    part.object.material = part.numbers.map(
      (number) => this.materials.of({ ...part, texture: part.textures.get(number) ?? null }));
  }

  /** @param {number} i */
  #drop(i) {
    const part = /** @type {Part} */ (this.parts.get(i));
    this.group.remove(part.object);
    part.object.geometry.dispose();
    for (const texture of part.textures.values()) {
      this.materials.forget(texture);
      texture.image.close();
      texture.dispose();
    }
    this.parts.delete(i);
  }

  /** After `materials.change`. */
  redress() {
    for (const part of this.parts.values()) this.#dress(part);
  }

  /** Show what the model has selected; of a cloud all points of each selected node. */
  show() {
    for (const [i, ranges] of this.model.ranges()) {
      const { object, cloud, numbers } = /** @type {Part} */ (this.parts.get(i));
      const { geometry } = object;
      object.visible = cloud ? Boolean(this.model.selected[i]) : ranges.length > 0;
      geometry.clearGroups();
      if (cloud) geometry.addGroup(0, geometry.attributes.position.count, 0);
      else for (const { begin, end, texture } of ranges) {
        geometry.addGroup(3 * begin, 3 * (end - begin), Math.max(0, numbers.indexOf(texture)));
      }
    }
  }

  /**
   * @param {THREE.Ray} ray @param {(point: THREE.Vector3) => boolean} isKept not cut away
   * @param {(distance: number) => number} pixelAt size of a pixel at a distance, for clouds
   * @returns {THREE.Vector3 | null} the nearest point of what is drawn, relative to the model's origin
   */
  pick(ray, isKept, pixelAt) {
    let best = Infinity;
    const keep = (/** @type {number} */ distance) => isKept(ray.at(distance, new THREE.Vector3()));
    for (const { object, cloud } of this.parts.values()) {
      if (!object.visible) continue;
      const { geometry } = object;
      const { center, radius } = /** @type {THREE.Sphere} */ (geometry.boundingSphere);
      const reach = cloud ? radius + 8 * pixelAt(ray.origin.distanceTo(center)) : radius;
      if (ray.distanceToPoint(center) > reach) continue;
      const array = /** @type {Float32Array} */ (geometry.attributes.position.array);
      const index = /** @type {Uint16Array} */ (geometry.index?.array);
      if (cloud) {
        best = Math.min(best, rayOnCloud(ray, array,
          (distance) => (this.materials.pointSize / 2 + 3) * pixelAt(distance), best, keep));
      } else for (const { start, count } of geometry.groups) {
        best = Math.min(best, rayOnTriangles(ray, array, index, start, count, best, keep));
      }
    }
    return best < Infinity ? ray.at(best, new THREE.Vector3()) : null;
  }
}

/** @param {ImageBitmap} picture */
function textureOf(picture) {
  const texture = new THREE.Texture(picture);
  texture.colorSpace = THREE.SRGBColorSpace;
  texture.flipY = false; // the picture was turned when it was decoded
  texture.anisotropy = 4;
  texture.needsUpdate = true;
  return texture;
}
