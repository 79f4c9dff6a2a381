/** The picture that one sees, as a PNG with name, facts and a legend: for a report or a talk. */

/** @typedef {{color: number[], text: string}} LegendRow */

const ROW = 20; // px of the legend
const FONT = 'system-ui, sans-serif';

/**
 * @param {{renderNow: () => void, renderer: any, canvas: HTMLCanvasElement, container: HTMLElement, width: number,
 * height: number}} stage
 * @param {import('./overlay.js').Overlay} overlay
 * @param {{text: string | null, edge: string}[]} letters of the orientation
 * @param {string[]} captions lines at the upper left, the first one bold
 * @param {LegendRow[]} legend
 * @returns {Promise<Blob>} PNG, in the pixels of the screen
 */
export function screenshot(stage, overlay, letters, captions, legend = []) {
  stage.renderNow(); // the drawing buffer is only readable in the turn in which it was drawn
  const scale = stage.renderer.getPixelRatio();
  const canvas = document.createElement('canvas');
  canvas.width = stage.canvas.width;
  canvas.height = stage.canvas.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const style = getComputedStyle(stage.container);
  const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  context.fillStyle = color('--stage-flat');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(stage.canvas, 0, 0);
  context.scale(scale, scale);
  drawItems(context, overlay.items, color('--measure'), color('--surface'));
  context.fillStyle = color('--text');
  drawLetters(context, letters, stage.width, stage.height);
  context.textAlign = 'left';
  captions.forEach((line, i) => {
    context.font = `${i === 0 ? '600 17px' : '13px'} ${FONT}`;
    context.fillText(line, 20, 34 + i * ROW, stage.width - 40);
  });
  if (legend.length) drawLegend(context, legend, 34 + captions.length * ROW, stage.height, color('--text'));
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser could not write the picture.'))),
      'image/png');
  });
}

/**
 * Two columns where one is too short; what then has no room is counted.
 * @type {(context: CanvasRenderingContext2D, rows: LegendRow[], top: number, height: number, ink: string) => void}
 */
function drawLegend(context, legend, top, height, ink) {
  context.font = `12.5px ${FONT}`;
  const rows = Math.max(1, Math.floor((height - top - 30) / ROW) - 1);
  legend.slice(0, rows * 2).forEach(({ color, text }, i) => {
    const x = 20 + Math.floor(i / rows) * 210, y = top + (i % rows) * ROW;
    context.fillStyle = `rgb(${color.join(' ')})`;
    context.fillRect(x, y - 10, 12, 12);
    context.fillStyle = ink;
    context.fillText(text, x + 18, y, 185);
  });
  if (legend.length > rows * 2) context.fillText(`+ ${legend.length - rows * 2}`, 20, top + rows * ROW);
}

/**
 * @type {(context: CanvasRenderingContext2D, items: Iterable<import('./overlay.js').Item>, line: string, paper:
 * string) => void}
 */
function drawItems(context, items, line, paper) {
  context.lineWidth = 2;
  context.font = `600 13px ${FONT}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { at, text, closed, labelAt: { x, y } } of items) {
    context.strokeStyle = line;
    context.beginPath();
    at.forEach((point, i) => (i ? context.lineTo(point.x, point.y) : context.moveTo(point.x, point.y)));
    if (closed) context.closePath();
    context.stroke();
    if (!text) continue;
    const half = context.measureText(text).width / 2 + 7;
    context.fillStyle = paper;
    context.fillRect(x - half, y - 11, 2 * half, 22);
    context.fillStyle = line;
    context.fillText(text, x, y);
  }
  context.textBaseline = 'alphabetic';
}

/**
 * @type {(context: CanvasRenderingContext2D, letters: {text: string | null, edge: string}[], width: number, height:
 * number) => void}
 */
function drawLetters(context, letters, width, height) {
  context.font = `600 15px ${FONT}`;
  context.textAlign = 'center';
  /** @type {Record<string, [number, number]>} */
  const place = { left: [18, height / 2], right: [width - 18, height / 2], top: [width / 2, 22],
    bottom: [width / 2, height - 12] };
  for (const { text, edge } of letters) context.fillText(text ?? '', ...place[edge]);
}
