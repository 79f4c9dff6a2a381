/** The 3D window of a Nexus model: camera, mouse, light, and drawing when (and only when) something changed. */

import * as THREE from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { Materials } from './materials.js';
import { Nodes } from './nodes.js';
import { t } from '../../app/shared/language.js';

const FIELD_OF_VIEW = 30; // degrees
const FILLED = { width: 0.92, height: 0.8 }; // of the window, by the model's box in its home view
const FLIGHT_MS = 330;
const HOME = new THREE.Vector3(0.3, 0.22, 1).normalize();
const POINTS = { least: 1, most: 16 };

const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** @typedef {import('../stream/model.js').NexusModel} NexusModel */

export class Stage {
  /** @param {HTMLElement} container gets the canvas @throws {Error} where the browser has no WebGL 2 */
  constructor(container) {
    this.container = container;
    this.renderer = new THREE.WebGLRenderer({ antialias: true, alpha: true, powerPreference: 'high-performance' });
    this.renderer.localClippingEnabled = true;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.canvas = this.renderer.domElement;
    Object.assign(this.canvas, { id: 'draw-canvas', tabIndex: 0 });
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', t('3D model'));
    container.append(this.canvas);
    this.scene = new THREE.Scene();
    this.materials = new Materials();
    this.perspective = new THREE.PerspectiveCamera(FIELD_OF_VIEW, 1, 1, 1000);
    this.orthographic = new THREE.OrthographicCamera(-1, 1, 1, -1, 1, 1000);
    /** @type {THREE.PerspectiveCamera | THREE.OrthographicCamera} */
    this.camera = this.perspective;
    /** @type {(() => void)[]} */
    this.onFrame = [];
    /** @type {((now: number) => void) | null} */
    this.flight = null;
    this.pending = false;
    this.radius = 0;
    /** @type {NexusModel | null} */
    this.model = null;
    this.nodes = /** @type {Nodes} */ (/** @type {unknown} */ (null)); // comes with the model
    this.width = 1;
    this.height = 1;
    this.rig = new THREE.Group();
    this.light = new THREE.DirectionalLight(0xffffff, 3);
    this.lightAngles = [0, 0];
    this.#addLight();
    this.camera.position.copy(HOME);
    this.controls = this.#newControls();
    new ResizeObserver(() => this.resize()).observe(container);
    this.resize();
  }

  /** One light that moves with the eye, and a dim one from all around. */
  #addLight() {
    this.rig.add(this.light, this.light.target);
    this.scene.add(this.rig, new THREE.HemisphereLight(0xffffff, 0xc8c0b8, 1.15));
    this.aimLight(-0.35, 0.4);
  }

  /** @param {number} turn @param {number} height in radians, from the line of sight */
  aimLight(turn, height) {
    this.lightAngles = [turn, height];
    this.light.position.set(Math.sin(turn) * Math.cos(height), Math.sin(height), Math.cos(turn) * Math.cos(height));
    this.draw();
  }

  /** Left turns, middle and right (or left with Ctrl or Shift) move, the wheel zooms, Alt and the wheel size points. */
  #newControls() {
    const controls = new OrbitControls(this.camera, this.canvas);
    controls.mouseButtons = { LEFT: THREE.MOUSE.ROTATE, MIDDLE: THREE.MOUSE.PAN, RIGHT: THREE.MOUSE.PAN };
    controls.enableDamping = !still();
    controls.dampingFactor = 0.14;
    controls.zoomToCursor = true;
    controls.addEventListener('change', () => this.draw());
    controls.addEventListener('start', () => { this.flight = null; });
    this.container.addEventListener('wheel', (event) => {
      if (!event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.resizePoints(event.deltaY < 0 ? 1 : -1);
    }, { capture: true, passive: false });
    return controls;
  }

  /** @param {number} step */
  resizePoints(step) {
    const { materials } = this;
    materials.pointSize = Math.min(POINTS.most, Math.max(POINTS.least, materials.pointSize + step));
    materials.point.value = materials.pointSize * this.renderer.getPixelRatio();
    this.draw();
  }

  /** @param {import('../stream/model.js').NexusModel} model */
  show(model) {
    this.model = model;
    this.radius = model.header.radius;
    this.nodes = new Nodes(model, this.materials);
    this.scene.add(this.nodes.group);
    model.addEventListener('change', () => this.draw());
    Object.assign(this.controls, { minDistance: this.radius * 1e-3, maxDistance: this.radius * 40, minZoom: 0.02,
      maxZoom: 2000 });
    this.resizePoints(0);
    this.nodes.box.copy(new THREE.Box3().setFromCenterAndSize(new THREE.Vector3(), new THREE.Vector3()
      .setScalar(1.2 * this.radius)));
    this.goHome(false);
    this.nodes.box.makeEmpty(); // a guess, until the first part tells
  }

  resize() {
    this.width = Math.max(1, this.container.clientWidth);
    this.height = Math.max(1, this.container.clientHeight);
    this.renderer.setSize(this.width, this.height);
    this.perspective.aspect = this.width / this.height;
    this.draw();
  }

  /** From the front, a little from the side and above, so that the model's box fits between the bars of tools. */
  goHome(smooth = true) {
    const { box } = this.nodes;
    const middle = box.getCenter(new THREE.Vector3());
    const back = HOME.clone()
      .applyQuaternion(new THREE.Quaternion().setFromUnitVectors(new THREE.Vector3(0, 1, 0), this.camera.up));
    const right = this.camera.up.clone().cross(back).normalize();
    const up = back.clone().cross(right);
    const tangent = Math.tan(THREE.MathUtils.degToRad(FIELD_OF_VIEW / 2));
    let distance = 0;
    for (let corner = 0; corner < 8; corner++) {
      const at = new THREE.Vector3()
        .fromArray([0, 1, 2].map((k) => (corner & (1 << k) ? box.max : box.min).getComponent(k))).sub(middle);
      const wide = Math.abs(at.dot(right)) / (tangent * this.perspective.aspect * FILLED.width);
      const high = Math.abs(at.dot(up)) / (tangent * FILLED.height);
      distance = Math.max(distance, at.dot(back) + Math.max(wide, high));
    }
    this.flyTo(back, middle, Math.max(distance, this.radius * 0.1), smooth);
  }

  /** @param {THREE.Vector3} direction towards the eye */
  lookFrom(direction, smooth = true) {
    this.flyTo(direction.clone().normalize(), this.controls.target,
      this.camera.position.distanceTo(this.controls.target), smooth, this.camera.zoom);
  }

  /** @param {number} factor 1.25: a quarter larger on the screen */
  zoomBy(factor) {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const parallel = this.camera === this.orthographic;
    this.flyTo(offset.clone().normalize(), this.controls.target, offset.length() / (parallel ? 1 : factor), true,
      this.camera.zoom * (parallel ? factor : 1));
  }

  /** Brings a point of the model into the middle. @param {THREE.Vector3} point */
  centreOn(point) {
    const offset = this.camera.position.clone().sub(this.controls.target);
    this.flyTo(offset.clone().normalize(), point, offset.length(), true, this.camera.zoom);
  }

  /**
   * Moves the eye in a third of a second; at once for whoever asked for less motion.
   * @param {THREE.Vector3} direction @param {THREE.Vector3} target @param {number} distance @param {boolean} smooth
   */
  flyTo(direction, target, distance, smooth, zoom = 1) {
    const from = this.camera.position.clone().sub(this.controls.target);
    const start = { direction: from.clone().normalize(), distance: from.length(), target: this.controls.target.clone(),
      zoom: this.camera.zoom };
    const end = { target: target.clone(), turn: new THREE.Quaternion().setFromUnitVectors(start.direction, direction) };
    const place = (/** @type {number} */ part) => {
      const turned = start.direction.clone().applyQuaternion(new THREE.Quaternion().slerp(end.turn, part));
      this.controls.target.lerpVectors(start.target, end.target, part);
      this.camera.position.copy(this.controls.target)
        .addScaledVector(turned, start.distance * (distance / start.distance) ** part);
      this.camera.zoom = start.zoom * (zoom / start.zoom) ** part;
      this.camera.updateProjectionMatrix();
    };
    if (!smooth || still()) {
      this.flight = null;
      place(1);
    } else {
      const begin = performance.now();
      this.flight = (/** @type {number} */ now) => {
        const part = Math.max(0, Math.min(1, (now - begin) / FLIGHT_MS));
        place(part * part * (3 - 2 * part));
        if (part === 1) this.flight = null;
      };
    }
    this.draw();
  }

  /** @param {'y' | 'z'} axis that points up on the screen */
  setUpright(axis) {
    const up = axis === 'z' ? new THREE.Vector3(0, 0, 1) : new THREE.Vector3(0, 1, 0);
    const turn = new THREE.Quaternion().setFromUnitVectors(this.camera.up, up);
    const offset = this.camera.position.clone().sub(this.controls.target).applyQuaternion(turn);
    for (const camera of [this.perspective, this.orthographic]) camera.up.copy(up);
    this.controls.dispose();
    const { target } = this.controls;
    const { minDistance, maxDistance, enableRotate } = this.controls;
    this.camera.position.copy(target).add(offset);
    this.controls = Object.assign(this.#newControls(), { minDistance, maxDistance, enableRotate, minZoom: 0.02,
      maxZoom: 2000 });
    this.controls.target.copy(target);
    this.draw();
  }

  /** @param {boolean} parallel without foreshortening; the model keeps its size on the screen */
  setOrthographic(parallel) {
    const to = parallel ? this.orthographic : this.perspective;
    if (to === this.camera) return;
    const offset = this.camera.position.clone().sub(this.controls.target).divideScalar(this.camera.zoom);
    to.zoom = 1;
    to.position.copy(this.controls.target).add(offset);
    this.camera = to;
    this.controls.object = to;
    this.draw();
  }

  /**
   * Other materials: lit, solid, cut by planes.
   * @param {Parameters<Materials['change']>[0]} look as `Materials.change` takes it
   */
  setLook(look) {
    this.materials.change(look);
    this.nodes.redress();
    this.draw();
  }

  #setFrustum() {
    const { camera, perspective, controls } = this;
    if (camera === this.orthographic) {
      const top = Math.tan(THREE.MathUtils.degToRad(FIELD_OF_VIEW / 2)) * camera.position.distanceTo(controls.target);
      Object.assign(camera, { top, bottom: -top, right: top * perspective.aspect, left: -top * perspective.aspect });
    }
    const distance = camera.position.length(); // the model's middle is the origin
    const least = camera === perspective ? this.radius * 5e-4 : -Infinity;
    camera.near = Math.max(distance - this.radius * 1.6, least);
    camera.far = Math.max(distance + this.radius * 1.6, 2 * least);
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
  }

  /** Size of a pixel at a distance from the eye, in the model's units. @param {number} distance */
  pixelAt(distance) {
    const { camera } = this;
    if (camera === this.orthographic) return (camera.top - camera.bottom) / camera.zoom / this.height;
    return (distance * 2 * Math.tan(THREE.MathUtils.degToRad(FIELD_OF_VIEW / 2))) / this.height / camera.zoom;
  }

  #chooseNodes() {
    const { camera } = this;
    const model = /** @type {NexusModel} */ (this.model);
    const frustum = new THREE.Frustum()
      .setFromProjectionMatrix(new THREE.Matrix4().multiplyMatrices(camera.projectionMatrix,
      camera.matrixWorldInverse));
    const origin = new THREE.Vector3().fromArray(model.header.centre);
    const sphere = new THREE.Sphere(); // one for all: a large model has tens of thousands of nodes
    const centreOf = (/** @type {{centre: number[]}} */ node) => sphere.center.fromArray(node.centre).sub(origin);
    const nearest = this.radius * 1e-3;
    model.update(
      (node) => node.error / this.pixelAt(Math.max(camera.position.distanceTo(centreOf(node)) - node.radius, nearest)),
      (node) => {
        centreOf(node);
        sphere.radius = node.tightRadius;
        return frustum.intersectsSphere(sphere);
      },
    );
    this.nodes.show();
  }

  /** Asks for one frame. */
  draw() {
    if (this.pending || !this.model) return;
    this.pending = true;
    requestAnimationFrame((now) => {
      this.pending = false;
      this.flight?.(now);
      this.controls.update();
      if (this.flight) this.draw();
      this.renderNow();
    });
  }

  renderNow() {
    this.#setFrustum();
    this.#chooseNodes();
    this.rig.quaternion.copy(this.camera.quaternion);
    this.renderer.render(this.scene, this.camera);
    for (const listener of this.onFrame) listener();
  }

  /** @param {MouseEvent} event @returns {THREE.Vector3 | null} the point of the model there, relative to its middle */
  pick(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = new THREE.Vector2(((event.clientX - box.left) / box.width) * 2 - 1,
      1 - ((event.clientY - box.top) / box.height) * 2);
    const caster = new THREE.Raycaster();
    caster.setFromCamera(at, this.camera);
    const isKept = (/** @type {THREE.Vector3} */ point) =>
      this.materials.planes.every((plane) => plane.distanceToPoint(point) >= 0);
    return this.nodes.pick(caster.ray, isKept, (distance) => this.pixelAt(distance));
  }

  /**
   * @param {THREE.Vector3} point relative to the model's middle @returns {{x: number, y: number}} pixels from the upper
   * left
   */
  project(point) {
    const ndc = point.clone().project(this.camera);
    return { x: ((ndc.x + 1) / 2) * this.width, y: ((1 - ndc.y) / 2) * this.height };
  }

  /** @param {THREE.Vector3} point relative to the middle @returns {number[]} in the coordinates of the file */
  coordinates(point) {
    const { centre } = /** @type {NexusModel} */ (this.model).header;
    return point.toArray().map((x, k) => x + centre[k]);
  }
}
