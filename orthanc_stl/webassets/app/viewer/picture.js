/** The picture of the scene with its legend. */

import { millilitres } from './part-row.js';
import { screenshot } from './screenshot.js';

/** @param {import('./app.js').App} app @returns {Promise<Blob>} PNG */
export async function picture(app) {
  await app.stage.opened;
  const { stage, overlay, orientation, captions, parts } = app;
  const legend = app.scale?.legend ?? (parts.all.length < 2 ? [] : parts.shown
    .map((part) => ({ color: part.color, text: `${part.name}  ${millilitres(part.volumeMl)}` })));
  return screenshot(stage, overlay, orientation.letters(), captions, legend);
}
