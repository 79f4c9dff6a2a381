/** The WebGL renderer and its canvas, and what a machine without a graphics card is spared. */

import * as THREE from 'three';
import { cardIsDone } from './pace.js';

/** How drivers that draw with the processor call themselves: Chromium, Mesa, Windows. */
const BY_PROCESSOR = /swiftshader|llvmpipe|softpipe|basic render/i;

/**
 * @returns {boolean} whether a card draws, not the processor: without one, as on many remote desktops, smooth edges
 * take two thirds of the time of a frame (0.33 million triangles in SwiftShader: 890 ms with, 310 ms without)
 */
function hasGraphicsCard() {
  const gl = document.createElement('canvas').getContext('webgl2');
  const names = gl?.getExtension('WEBGL_debug_renderer_info');
  const name = gl && names ? String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)) : '';
  gl?.getExtension('WEBGL_lose_context')?.loseContext();
  return !BY_PROCESSOR.test(name);
}

/** @returns {HTMLCanvasElement} for `newRenderer` */
export function newCanvas() {
  const canvas = document.createElement('canvas');
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @returns {THREE.WebGLRenderer} @throws {Error} where the browser has no WebGL 2 */
export function newRenderer(canvas) {
  const card = hasGraphicsCard();
  // Each movement on the page has the processor put the whole page together again: 0.1 s of its time.
  document.documentElement.classList.toggle('no-graphics-card', !card);
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: card, alpha: true, stencil: true,
    powerPreference: 'high-performance' });
  renderer.localClippingEnabled = true;
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  return renderer;
}

/**
 * Makes the graphics card's programs of an object, and asks what three.js asks of each at its first use. In the midst
 * of a frame these questions wait for all that was drawn before, and the page with them: 0.8 s without a graphics card.
 * @param {import('./stage.js').Stage} stage @param {THREE.Object3D} object @returns {Promise<void>} once they are there
 */
export async function programsFor({ renderer, scene, camera }, object) {
  if (renderer.extensions.has('KHR_parallel_shader_compile')) await renderer.compileAsync(object, camera, scene);
  else {
    renderer.compile(object, camera, scene);
    await cardIsDone(/** @type {WebGL2RenderingContext} */ (renderer.getContext()));
  }
  for (const program of renderer.info.programs ?? []) program.getUniforms();
}
