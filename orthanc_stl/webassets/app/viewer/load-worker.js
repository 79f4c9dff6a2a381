/**
 * Fetches STL files, or GLB colored by distance, reads them, and makes of them what the graphics card and the tools
 * need, away from the page: a model of millions of triangles takes seconds, during which the page goes on answering.
 *
 * In: {id, url, headers, body}. Out, with the same id: {asked} when the request is on its way, {progress: {fraction,
 * step}}*, then {model} and after it {bvh}, or {failure: {status, body} | {message}}; {done} ends each.
 */

import { isGlb, readGlb } from '../shared/glb.js';
import { measureOf, NotStl, readStl } from '../shared/stl.js';
import { weld } from '../shared/weld.js';

/** @typedef {import('./loader.js').Loaded} Loaded */

/** @param {any} message @param {Transferable[]} transfer */
const post = (message, transfer = []) => /** @type {any} */ (globalThis).postMessage(message, transfer);

/**
 * The body, piece by piece; where the length is announced the pieces go straight into one array.
 * @param {Response} response @param {(fraction: number | null, step: string) => void} report @returns
 * {Promise<Uint8Array>}
 */
async function bodyOf(response, report) {
  const announced = Number(response.headers.get('Content-Length')) || 0;
  const compressed = response.headers.has('Content-Encoding');
  if (!announced || compressed || !response.body) return new Uint8Array(await response.arrayBuffer());
  const bytes = new Uint8Array(announced);
  const reader = response.body.getReader();
  let filled = 0;
  for (let told = 0; ;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > announced) throw new NotStl('The server sent more than it had announced.');
    bytes.set(value, filled);
    filled += value.length;
    if (filled - told > announced / 50) report((told = filled) / announced, 'loading');
  }
  if (filled < announced) {
    throw new NotStl('The transfer broke off before the model was complete. Please reload the page.');
  }
  return bytes;
}

/** @param {Uint8Array} bytes @param {(fraction: number | null, step: string) => void} report @returns {Loaded} */
function modelOf(bytes, report) {
  report(null, 'reading the triangles');
  if (isGlb(bytes)) return readGlb(bytes);
  const { corners } = readStl(bytes);
  const facts = measureOf(corners);
  const centre = facts.min.map((low, i) => (low + facts.max[i]) / 2);
  const surface = weld(corners, centre, facts.volume < 0, (fraction) => report(fraction, 'building the surface'));
  if (surface.index.length === 0) {
    throw new NotStl('All triangles of this model are without area: there is nothing to show.');
  }
  return { ...facts, volume: Math.abs(facts.volume), centre, area: areaOf(surface), ...surface };
}

/** @param {{positions: Float32Array, index: Uint32Array}} surface @returns {number} mm² */
function areaOf({ positions: p, index }) {
  let twice = 0;
  for (let i = 0; i < index.length; i += 3) {
    const a = 3 * index[i], b = 3 * index[i + 1], c = 3 * index[i + 2];
    const ux = p[b] - p[a], uy = p[b + 1] - p[a + 1], uz = p[b + 2] - p[a + 2];
    const vx = p[c] - p[a], vy = p[c + 1] - p[a + 1], vz = p[c + 2] - p[a + 2];
    twice += Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx);
  }
  return twice / 2;
}

/**
 * @param {Loaded} model
 * @returns {Promise<{roots: ArrayBuffer[], indirectBuffer: Uint32Array | Uint16Array}>} its search tree
 */
async function treeOf({ positions, index }) {
  const [{ BufferAttribute, BufferGeometry }, { MeshBVH }] = await Promise.all([
    // @ts-ignore The addresses are the server's: workers have no import map.
    import('../vendor/three/build/three.core.js'), import('../vendor/three-mesh-bvh.js')]);
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(positions, 3));
  geometry.setIndex(new BufferAttribute(index, 1));
  const tree = new MeshBVH(geometry, { indirect: true });
  const { roots, indirectBuffer } = MeshBVH.serialize(tree, { cloneBuffers: false });
  return { roots, indirectBuffer };
}

/** @param {unknown} error @returns {string} */
function said(error) {
  if (error instanceof NotStl) return error.message;
  if (error instanceof RangeError) return 'The model is too large for the memory of this browser.';
  if (error instanceof TypeError) return 'Orthanc did not answer. It may have stopped, or the network is down.';
  return String(error);
}

onmessage = async ({ data: { id, url, headers, body } }) => {
  const report = (/** @type {number | null} */ fraction, /** @type {string} */ step) =>
    post({ id, progress: { fraction, step } });
  try {
    const asked = fetch(url, body ? { method: 'POST', headers, body } : { headers });
    post({ id, asked: true });
    const response = await asked;
    if (!response.ok) {
      post({ id, failure: { status: response.status, body: await response.text() } });
    } else {
      const model = modelOf(await bodyOf(response, report), report);
      const copy = { ...model, positions: model.positions.slice(),
        index: model.index.slice() }; // the tree needs them, too
      post({ id, model: copy }, [copy.positions.buffer, copy.normals.buffer, copy.index.buffer]);
      const bvh = await treeOf(model);
      post({ id, bvh }, [...bvh.roots, bvh.indirectBuffer.buffer]);
    }
  } catch (error) {
    post({ id, failure: { message: said(error) } });
  }
  post({ id, done: true });
};
