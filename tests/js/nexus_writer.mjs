/**
 * Writes Nexus files of known meshes, so that the decoder is checked against something that it did not make itself.
 * Nodes are stored as they are or under Corto with entropy 0.
 */
import { Bytes } from "./bytes.mjs";

const NONE = 0xffffffff;
const FLAGS = { plain: 0, meco: 2, corto: 4, deepzoom: 8 };

/**
 * The bytes of an uncompressed node. `mesh`: positions, triangles, and optionally uvs, normals (unit), colours (RGBA).
 */
export function plainNode({ positions, triangles, uvs, normals, colours }) {
  const out = new Bytes();
  positions.flat().forEach(out.f32);
  uvs?.flat().forEach(out.f32);
  normals?.flat().forEach((x) => out.i16(Math.round(x * 32766)));
  if (colours) out.u8(...colours.flat());
  triangles.flat().forEach(out.u16);
  return out.done();
}

/** The smallest sphere around the middle of the box, [x, y, z, r]. */
export function sphereOf(positions) {
  const middle = [0, 1, 2].map((k) => {
    const values = positions.map((p) => p[k]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  });
  return [...middle, Math.max(...positions.map((p) => Math.hypot(...p.map((x, k) => x - middle[k]))))];
}

/**
 * A whole file.
 * @param nodes {bytes, vertices, triangles, error, sphere: [x, y, z, r], tight?, patches: [{node, end, texture?}]}
 *   without the sink; a patch's `node` is nodes.length for the finest level
 * @param options.codec "plain" | "corto" | "meco"; .attributes: which of normal, colour, uv; .textures: list of bytes
 */
export function writeModel(nodes, { codec = "plain", attributes = {}, textures = [], cloud = false, flags = 0 } = {}) {
  const patches = nodes.flatMap((node) => node.patches);
  const textureEntries = textures.length > 0 ? textures.length + 1 : 0;
  const indexEnd = 88 + 44 * (nodes.length + 1) + 12 * patches.length + 68 * textureEntries;
  const blocks = [...nodes.map((node) => node.bytes), ...textures].map((bytes) => new Bytes().raw(bytes).pad(256)
    .done());
  const offsets = [Math.ceil(indexEnd / 256)];
  for (const block of blocks) offsets.push(offsets.at(-1) + block.length / 256);
  const sum = (field) => nodes.reduce((total, node) => total + node[field], 0);
  const whole = nodes[0].sphere;

  const out = new Bytes().u32(0x4e787320).u32(2).u64(sum("vertices")).u64(sum("triangles"));
  out.u8(7, 3, ...(attributes.normal ? [3, 3] : [0, 0]), ...(attributes.colour ? [1, 4] : [0, 0]),
    ...(attributes.uv ? [7, 2] : [0, 0]));
  out.u8(0, 0, 0, 0, 0, 0, 0, 0, ...(cloud ? [0, 0] : [4, 3]), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  out.u32(FLAGS[codec] | flags).u32(nodes.length + 1).u32(patches.length).u32(textureEntries);
  whole.forEach(out.f32);

  let firstPatch = 0;
  nodes.forEach((node, i) => {
    out.u32(offsets[i]).u16(node.vertices).u16(node.triangles).f32(node.error).u16(0).u16(0).u16(0).u16(0);
    node.sphere.forEach(out.f32);
    out.f32(node.tight ?? node.sphere[3]).u32(firstPatch);
    firstPatch += node.patches.length;
  });
  // The sink: garbage but for its offset and first patch, as upstream's writer leaves it.
  out.u32(offsets[nodes.length]).u16(32764).u16(999).f32(NaN).u16(1).u16(2).u16(3).u16(4).f32(NaN).f32(1e30).f32(-1)
    .f32(-1).f32(-1).u32(firstPatch);
  for (const patch of patches) out.u32(patch.node).u32(patch.end).u32(patch.texture ?? NONE);
  for (let t = 0; t < textureEntries; t++) {
    out.u32(offsets[nodes.length + t]);
    for (let k = 0; k < 16; k++) out.f32(0);
  }
  blocks.reduce((file, block) => file.raw(block), out.pad(256));
  return out.done();
}

/** One node that holds the whole mesh. `encode` makes its bytes. */
export function singleNode(mesh, encode = plainNode, error = 1) {
  const triangles = mesh.triangles?.length ?? 0;
  return {
    bytes: encode(mesh),
    vertices: mesh.positions.length,
    triangles,
    error,
    sphere: sphereOf(mesh.positions),
    patches: [{ node: 1, end: triangles || mesh.positions.length, texture: mesh.texture }],
  };
}
