/** The picture that one sees, as a PNG with name and facts: for a report or a talk. */

/**
 * @param {import('./stage.js').Stage} stage
 * @param {import('./overlay.js').Overlay} overlay
 * @param {{text: string, edge: string}[]} letters of the orientation
 * @param {string[]} captions lines at the upper left, the first one bold
 * @returns {Promise<Blob>} in the pixels of the screen
 */
export function screenshot(stage, overlay, letters, captions) {
  stage.renderNow(); // the drawing buffer is only readable in the turn in which it was drawn
  const scale = stage.renderer.getPixelRatio();
  const canvas = document.createElement('canvas');
  canvas.width = stage.canvas.width;
  canvas.height = stage.canvas.height;
  const context = canvas.getContext('2d');
  const style = getComputedStyle(stage.container);
  const colour = (name) => style.getPropertyValue(name).trim();
  context.fillStyle = colour('--stage-flat');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(stage.canvas, 0, 0);
  context.scale(scale, scale);
  drawItems(context, overlay.items, colour('--measure'), colour('--surface'));
  context.fillStyle = colour('--text');
  drawLetters(context, letters, stage.width, stage.height);
  context.textAlign = 'left';
  captions.forEach((line, i) => {
    context.font = `${i === 0 ? '600 17px' : '13px'} system-ui, sans-serif`;
    context.fillText(line, 20, 34 + i * 20, stage.width - 40);
  });
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

function drawItems(context, items, line, paper) {
  context.lineWidth = 2;
  context.font = '600 13px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { at, text } of items) {
    const [from, to] = [at[0], at.at(-1)];
    context.strokeStyle = line;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    if (!text) continue;
    const x = (from.x + to.x) / 2, y = (from.y + to.y) / 2, half = context.measureText(text).width / 2 + 7;
    context.fillStyle = paper;
    context.fillRect(x - half, y - 11, 2 * half, 22);
    context.fillStyle = line;
    context.fillText(text, x, y);
  }
  context.textBaseline = 'alphabetic';
}

function drawLetters(context, letters, width, height) {
  context.font = '600 15px system-ui, sans-serif';
  context.textAlign = 'center';
  const place = { left: [18, height / 2], right: [width - 18, height / 2], top: [width / 2, 22], bottom: [width / 2, height - 12] };
  for (const { text, edge } of letters) context.fillText(text, ...place[edge]);
}
