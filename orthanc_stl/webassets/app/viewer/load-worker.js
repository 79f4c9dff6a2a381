/**
 * Fetches an STL, reads it, and makes of it what the graphics card needs, away from the page: a model of millions of
 * triangles takes seconds, during which the page goes on answering.
 *
 * In: {url, headers}. Out: {progress: {fraction, step}}*, then {model} or {failure: {status, body} | {message}}.
 */

import { measureOf, NotStl, readStl } from '../shared/stl.js';
import { weld } from '../shared/weld.js';

const report = (fraction, step) => postMessage({ progress: { fraction, step } });

/** The body, piece by piece; where the length is announced the pieces go straight into one array. */
async function bodyOf(response) {
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
  if (filled < announced) throw new NotStl('The transfer broke off before the model was complete. Please reload the page.');
  return bytes;
}

function modelOf(bytes) {
  report(null, 'reading the triangles');
  const { corners } = readStl(bytes);
  const facts = measureOf(corners);
  const centre = facts.min.map((low, i) => (low + facts.max[i]) / 2);
  const surface = weld(corners, centre, facts.volume < 0, (fraction) => report(fraction, 'building the surface'));
  if (surface.index.length === 0) throw new NotStl('All triangles of this model are without area: there is nothing to show.');
  return { ...facts, volume: Math.abs(facts.volume), centre, ...surface };
}

onmessage = async ({ data: { url, headers } }) => {
  try {
    const response = await fetch(url, { headers });
    if (!response.ok) {
      postMessage({ failure: { status: response.status, body: await response.text() } });
      return;
    }
    const model = modelOf(await bodyOf(response));
    postMessage({ model }, [model.positions.buffer, model.normals.buffer, model.index.buffer]);
  } catch (error) {
    const message = error instanceof NotStl ? error.message
      : error instanceof RangeError ? 'The model is too large for the memory of this browser.'
      : error instanceof TypeError ? 'Orthanc did not answer. It may have stopped, or the network is down.' : String(error);
    postMessage({ failure: { message } });
  }
};
