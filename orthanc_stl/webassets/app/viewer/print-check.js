/** The print check of a preview: the model coloured by what was found. */

import * as THREE from 'three';
import { PLYLoader } from 'three/addons/loaders/PLYLoader.js';
import { request } from '../shared/api.js';
import { clipping } from './part-mesh.js';

/**
 * @param {string} path of print-check.ply, below Orthanc's root
 * @returns {Promise<THREE.Mesh<THREE.BufferGeometry, THREE.MeshStandardMaterial>>} LPS mm; thin walls are red, what
 * hangs over is orange
 */
export async function coloredModel(path) {
  const file = await (await request(path)).arrayBuffer();
  const material = new THREE.MeshStandardMaterial({ roughness: 0.7, metalness: 0, side: THREE.DoubleSide,
    vertexColors: true });
  material.clippingPlanes = clipping;
  return new THREE.Mesh(new PLYLoader().parse(file), material);
}
