/** The shared models, where they are present. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = process.env.ORTHANC_STL_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
const folder = join(root, "nexus");

export const MODELS = existsSync(folder) ? readdirSync(folder).filter((name) => /\.nx[sz]$/.test(name)) : [];
export const missing = MODELS.length === 0 && "the shared models are not here";

export const pathOf = (name) => join(folder, name);

/** @returns {ArrayBuffer} */
export function read(name) {
  const bytes = readFileSync(pathOf(name));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}
