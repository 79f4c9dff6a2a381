/** Size of a picture from its first bytes: a small file can claim to be gigabytes of pixels. */

import { NexusError } from '../decoder/errors.js';

const LARGEST = 8192; // pixels a side, what every graphics card takes
const JPEG_FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** @param {DataView} view */
function jpegSize(view) {
  for (let at = 2; at + 9 < view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (JPEG_FRAMES.has(marker)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}

/** @param {DataView} view */
function sizeOf(view) {
  if (view.byteLength < 24) return null;
  if (view.getUint16(0) === 0xffd8) return jpegSize(view);
  if (view.getUint32(0) === 0x89504e47) return [view.getUint32(16), view.getUint32(20)]; // PNG
  return null;
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes a JPEG or PNG, perhaps with padding behind it
 * @returns {Promise<ImageBitmap>} upside down, as texture coordinates count from below @throws {NexusError}
 */
export async function pictureOf(bytes) {
  const size = sizeOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  if (!size) throw new NexusError('A texture is neither a JPEG nor a PNG picture');
  if (Math.min(...size) < 1 || Math.max(...size) > LARGEST) {
    throw new NexusError(`A texture has ${size.join(' × ')} pixels, at most ${LARGEST} a side are shown`);
  }
  try {
    return await createImageBitmap(new Blob([bytes]), { imageOrientation: 'flipY', premultiplyAlpha: 'none',
      colorSpaceConversion: 'none' });
  } catch {
    throw new NexusError('A texture is a damaged picture');
  }
}
