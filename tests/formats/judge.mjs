// What the Khronos validator and three.js' loaders see in files, as JSON: node judge.mjs FOLDER, the packages' folders
// in the environment. FOLDER has scene.glb, scene_compressed.glb, model.obj, model.mtl, scene.ply, scene.stl; all GLB
// files are validated.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const read = (name) => fs.readFileSync(path.join(folder, name));
const bufferOf = (name) => {
    const bytes = read(name);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
};
const fromThree = (name) => import(pathToFileURL(path.join(process.env.ORTHANC_STL_NPM, "three", name)));

async function validated(name) {
    const file = path.join(process.env.ORTHANC_STL_JS_TOOLS, "gltf-validator/index.js");
    const validator = (await import(pathToFileURL(file))).default;
    const { issues } = await validator.validateBytes(new Uint8Array(read(name)));
    return issues.messages.map((message) => `${name} ${message.severity} ${message.code} ${message.pointer}`);
}

function partOf(THREE, mesh) {
    mesh.updateWorldMatrix(true, false);
    const geometry = mesh.geometry.index ? mesh.geometry.toNonIndexed() : mesh.geometry.clone();
    const plain = new THREE.BufferGeometry();
    const place = geometry.getAttribute("position");
    const at = new THREE.Vector3();
    const values = new Float64Array(place.count * 3);
    for (let i = 0; i < place.count; i++) {
        at.fromBufferAttribute(place, i).applyMatrix4(mesh.matrixWorld).toArray(values, i * 3);
    }
    plain.setAttribute("position", new THREE.BufferAttribute(values, 3));
    plain.computeBoundingBox();
    let volume = 0;
    const [a, b, c] = [new THREE.Vector3(), new THREE.Vector3(), new THREE.Vector3()];
    const middle = plain.boundingBox.getCenter(new THREE.Vector3());
    for (let i = 0; i < values.length; i += 9) {
        a.fromArray(values, i).sub(middle);
        b.fromArray(values, i + 3).sub(middle);
        c.fromArray(values, i + 6).sub(middle);
        volume += a.dot(b.cross(c)) / 6;
    }
    const { color, opacity, transparent, metalness, side } = mesh.material ?? {};
    return {
        name: mesh.userData?.name ?? mesh.name,
        color: color ? color.getHexString() : null,
        opacity, transparent, metalness,
        doubleSided: side === THREE.DoubleSide,
        normals: Boolean(geometry.getAttribute("normal")),
        box: [plain.boundingBox.min.toArray(), plain.boundingBox.max.toArray()],
        volume,
    };
}

const THREE = await fromThree("build/three.module.js");
const meshesOf = (root) => {
    const found = [];
    root.traverse((object) => object.isMesh && found.push(partOf(THREE, object)));
    return found;
};

async function gltf(name) {
    const { GLTFLoader } = await fromThree("examples/jsm/loaders/GLTFLoader.js");
    const loaded = await new GLTFLoader().parseAsync(bufferOf(name), "");
    return { root: loaded.scene.children[0].userData, parts: meshesOf(loaded.scene) };
}

async function obj() {
    const { OBJLoader } = await fromThree("examples/jsm/loaders/OBJLoader.js");
    const { MTLLoader } = await fromThree("examples/jsm/loaders/MTLLoader.js");
    const materials = new MTLLoader().parse(read("model.mtl").toString(), "");
    return meshesOf(new OBJLoader().setMaterials(materials).parse(read("model.obj").toString()));
}

async function ply() {
    const { PLYLoader } = await fromThree("examples/jsm/loaders/PLYLoader.js");
    const geometry = new PLYLoader().parse(bufferOf("scene.ply"));
    const colors = geometry.getAttribute("color");
    const seen = new Set();
    for (let i = 0; i < colors.count; i++) {
        seen.add(new THREE.Color().fromBufferAttribute(colors, i).getHexString());
    }
    return { ...partOf(THREE, new THREE.Mesh(geometry)), colors: [...seen] };
}

async function stl() {
    const { STLLoader } = await fromThree("examples/jsm/loaders/STLLoader.js");
    return partOf(THREE, new THREE.Mesh(new STLLoader().parse(bufferOf("scene.stl"))));
}

const glbFiles = fs.readdirSync(folder).filter((name) => name.endsWith(".glb")).sort();

console.log(
    JSON.stringify({
        validated: glbFiles,
        issues: (await Promise.all(glbFiles.map(validated))).flat(),
        glb: await gltf("scene.glb"),
        compressed: await gltf("scene_compressed.glb"),
        obj: await obj(),
        ply: await ply(),
        stl: await stl(),
    }),
);
