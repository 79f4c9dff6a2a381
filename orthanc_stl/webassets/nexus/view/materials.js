/** How the parts of a model look: lit or not, in their colours or in one, cut open, with the cut's edge drawn. */

import * as THREE from 'three';

const SOLID = 0xd9cbb8; // of parts without colours, and of all for who wants one colour
const EDGE = 0xe8590c; // where a plane cuts the surface
const EDGE_PIXELS = 1.6;

/** Near a cutting plane the surface is drawn in the colour of the edge, as wide on the screen wherever it is. */
const EDGE_CODE = `
#if NUM_CLIPPING_PLANES > 0
  if (edgePixels > 0.0) {
    float beyond;
    #pragma unroll_loop_start
    for (int i = 0; i < UNION_CLIPPING_PLANES; i ++) {
      beyond = clippingPlanes[i].w - dot(vClipPosition, clippingPlanes[i].xyz);
      if (beyond < edgePixels * fwidth(beyond)) gl_FragColor = vec4(edgeColour, 1.0);
    }
    #pragma unroll_loop_end
  }
#endif
`;

/** @typedef {{cloud: boolean, normals: boolean, colours: boolean, texture: THREE.Texture | null}} Look */

export class Materials {
  constructor() {
    this.lit = true;
    this.solid = false;
    /** @type {THREE.Plane[]} */
    this.planes = [];
    this.pointSize = 2;
    this.edgePixels = { value: 0 };
    this.edgeColour = { value: new THREE.Color(EDGE) };
    this.point = { value: 2 };
    /** @type {Map<string, THREE.Material>} */
    this.made = new Map();
  }

  /** @param {boolean} on draw the edges of the sections */
  set edges(on) {
    this.edgePixels.value = on ? EDGE_PIXELS : 0;
  }

  /** @param {{lit?: boolean, solid?: boolean, planes?: THREE.Plane[]}} look whoever has a material asks for it anew */
  change(look) {
    Object.assign(this, look);
    for (const material of this.made.values()) material.dispose();
    this.made.clear();
  }

  /** @param {Look} part */
  of(part) {
    const texture = this.solid ? null : part.texture;
    const key = [part.cloud, part.normals, part.colours, texture?.uuid].join();
    if (!this.made.has(key)) this.made.set(key, this.#make({ ...part, texture }));
    return /** @type {THREE.Material} */ (this.made.get(key));
  }

  /** A texture goes away with its node, and its material with it. @param {THREE.Texture} texture */
  forget(texture) {
    for (const [key, material] of this.made) {
      if (!key.endsWith(texture.uuid)) continue;
      material.dispose();
      this.made.delete(key);
    }
  }

  /** @param {Look} part */
  #make({ cloud, normals, colours, texture }) {
    const shaded = this.lit && normals;
    const coloured = colours && !texture && !this.solid;
    const look = { side: THREE.DoubleSide, vertexColors: coloured, clippingPlanes: this.planes };
    const material = shaded ? new THREE.MeshPhongMaterial({ ...look, specular: 0x1a1a1a, shininess: 24 })
      : new THREE.MeshBasicMaterial(look);
    if (texture) material.map = texture;
    else if (!coloured) material.color.set(SOLID);
    material.onBeforeCompile = (shader) => this.#extend(shader, cloud);
    material.customProgramCacheKey = () => `nexus ${cloud}`;
    return material;
  }

  /** @param {THREE.WebGLProgramParametersWithUniforms} shader @param {boolean} cloud */
  #extend(shader, cloud) {
    Object.assign(shader.uniforms, { edgePixels: this.edgePixels, edgeColour: this.edgeColour,
      pointPixels: this.point });
    shader.fragmentShader = `uniform float edgePixels;\nuniform vec3 edgeColour;\n${shader.fragmentShader}`
      .replace('#include <opaque_fragment>', `#include <opaque_fragment>\n${EDGE_CODE}`);
    if (!cloud) return;
    shader.vertexShader = `uniform float pointPixels;\n${shader.vertexShader}`
      .replace('#include <project_vertex>', '#include <project_vertex>\ngl_PointSize = pointPixels;');
  }
}
