/**
 * The 3D window of all our viewers: renderer, the two cameras, moving about, and drawing when (and only when) something
 * changed.
 */

import * as THREE from 'three';
import { moveOf, orbitControls } from './controls.js';
import {
  cameraState, homeDistance, lineOfSight, moveTo, path, placeCamera, rayThrough, reducedMotion, setFrustum,
} from './flight.js';
import { Pace } from './pace.js';
import { addLights } from './part-mesh.js';
import { newCanvas, newRenderer, programsFor } from './renderer.js';

const FIELD_OF_VIEW = 30; // degrees: a long lens, which distorts anatomy little
const FLIGHT = 330; // ms
/** From the front, slightly from above and the patient's left: (L, P, S). */
const HOME = new THREE.Vector3(0.42, -1, 0.28).normalize();
const SUPERIOR = new THREE.Vector3(0, 0, 1);
const CLOSEST = 0.02; // of the model's radius: as near as the eye comes to what it looks at

export class Stage {
  /**
   * @param {HTMLElement} container gets the canvas
   * @param {{up?: THREE.Vector3, closest?: number, lights?: (scene: THREE.Scene, eye: THREE.Group) => void}} [options]
   *   `up`: what points up on the screen; `closest`: how near the eye comes, as part of the model's radius; `lights`:
   *   adds them to what moves with the eye
   */
  constructor(container, { up = SUPERIOR, closest = CLOSEST, lights = addLights } = {}) {
    this.container = container;
    this.closest = closest;
    this.canvas = newCanvas();
    container.append(this.canvas);
    this.renderer = /** @type {THREE.WebGLRenderer} */ (/** @type {unknown} */ (null)); // comes with `open`
    this.opened = new Promise((resolve) => { this.whenOpened = () => resolve(null); });
    this.scene = new THREE.Scene();
    this.eye = new THREE.Group();
    lights(this.scene, this.eye);
    this.perspective = new THREE.PerspectiveCamera(FIELD_OF_VIEW, 1, 1, 1000);
    this.orthographic = new THREE.OrthographicCamera(-1, 1, 1, -1, 1, 1000);
    this.setUp(up);
    /** @type {THREE.PerspectiveCamera | THREE.OrthographicCamera} */
    this.camera = this.perspective;
    this.camera.position.copy(HOME);
    this.controls = this.newControls();
    this.canvas.addEventListener('wheel', () => this.#byHand(), { passive: true });
    /** Parts, slices, caps. */
    this.world = new THREE.Group();
    this.scene.add(this.world);
    this.radius = 0; // nothing to show yet
    this.centre = new THREE.Vector3();
    this.half = new THREE.Vector3(1, 1, 1);
    /** @type {(() => void)[]} the camera is where the next frame shows it */
    this.beforeFrame = [];
    /** @type {(() => void)[]} a frame has been drawn */
    this.onFrame = [];
    /** @type {(() => void)[]} when the eye has moved by hand or in flight */
    this.onMove = [];
    this.turning = false;
    /** Whether a person has moved the eye; until then the home view follows the size of the window. */
    this.moved = false;
    this.atHome = false;
    /** @type {((now: number) => void) | null} */
    this.flight = null;
    this.pending = false;
    /** Whether there is something new to draw; a frame that only asks the controls draws nothing. */
    this.changed = false;
    this.updating = false;
    this.preparing = 0; // at work in `prepare`: nothing is drawn meanwhile
    this.pace = new Pace();
    this.width = 1;
    this.height = 1;
    new ResizeObserver(() => this.resize()).observe(container);
    this.resize();
  }

  /**
   * Makes the 3D context: without a graphics card this takes a third of a second, so what else is to be seen is on the
   * page before. Nothing is drawn until then.
   * @throws {Error} where the browser has no WebGL 2
   */
  open() {
    this.renderer = newRenderer(this.canvas);
    this.whenOpened?.();
    this.resize();
  }

  /** @param {THREE.Vector3} up what points up on the screen; controls that are there must be made anew */
  setUp(up) {
    for (const camera of [this.perspective, this.orthographic]) camera.up.copy(up);
  }

  newControls() {
    const controls = orbitControls(this.camera, this.canvas);
    controls.addEventListener('change', () => {
      if (!this.updating) this.draw();
      for (const listener of this.onMove) listener();
    });
    controls.addEventListener('start', () => this.#byHand());
    return controls;
  }

  #byHand() {
    this.moved = true;
    this.touched();
  }

  /** Ends what moves by itself. */
  touched() {
    this.turning = false;
    this.controls.autoRotate = false;
    this.flight = null;
  }

  /**
   * What there is to see has this box: the clipping range and the way home follow it.
   * @param {THREE.Box3} box LPS mm @param {boolean} first go home, and turn slowly if that is wanted
   */
  setBounds(box, first = false) {
    box.getCenter(this.centre);
    this.half = box.getSize(new THREE.Vector3()).multiplyScalar(0.5);
    this.radius = Math.max(this.half.length(), 1e-3);
    this.limitControls();
    if (first) this.goHome(false);
    this.draw();
  }

  /** How near and how far the eye may go, for a model of this radius. */
  limitControls() {
    Object.assign(this.controls, { minDistance: this.radius * this.closest, maxDistance: this.radius * 30,
      minZoom: 0.05, maxZoom: 2 / this.closest });
  }

  /** A slow turn, until the first touch. */
  turn() {
    this.turning = !reducedMotion();
    this.controls.autoRotate = this.turning;
    this.draw();
  }

  resize() {
    this.width = Math.max(1, this.container.clientWidth);
    this.height = Math.max(1, this.container.clientHeight);
    this.renderer?.setSize(this.width, this.height);
    this.perspective.aspect = this.width / this.height;
    this.perspective.updateProjectionMatrix();
    if (this.atHome && !this.moved && !this.turning && this.radius) this.goHome(false);
    this.draw();
  }

  goHome(smooth = true) {
    this.lookFrom(HOME, smooth);
    this.atHome = true;
  }

  /** @param {THREE.Vector3} direction from the model's middle towards the eye (LPS); shows the whole model */
  lookFrom(direction, smooth = true) {
    const unit = lineOfSight(direction);
    const distance = homeDistance(unit, this.half, this.perspective, this.height);
    this.flyTo(unit, this.centre, distance, smooth);
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was a key that moves the eye */
  press(event) {
    const act = moveOf(event, this.controls);
    if (!act) return false;
    this.#byHand();
    act();
    this.draw();
    return true;
  }

  /** Brings a point of the model into the middle. @param {THREE.Vector3} point */
  centreOn(point) {
    const offset = this.camera.position.clone().sub(this.controls.target);
    this.flyTo(offset.clone().normalize(), point, offset.length(), true, this.camera.zoom);
  }

  /**
   * Moves the eye in a third of a second; at once for whoever asked for less motion.
   * @param {THREE.Vector3} direction from the target to the eye @param {THREE.Vector3} target @param {number} distance
   * @param {boolean} smooth @param {number} [zoom]
   */
  flyTo(direction, target, distance, smooth, zoom = 1) {
    this.touched();
    this.atHome = false;
    const place = path(this.camera, this.controls.target, { direction, target, distance, zoom });
    if (!smooth || reducedMotion()) {
      place(1);
      for (const listener of this.onMove) listener();
    } else {
      const begin = performance.now();
      this.flight = (now) => {
        const part = Math.min(1, (now - begin) / FLIGHT);
        place(part * part * (3 - 2 * part));
        if (part === 1) this.flight = null;
      };
    }
    this.draw();
  }

  /** @param {boolean} parallel without foreshortening */
  setOrthographic(parallel) {
    const to = parallel ? this.orthographic : this.perspective;
    if (to === this.camera) return;
    moveTo(to, this.camera, this.controls.target);
    this.camera = to;
    this.controls.object = to;
    this.draw();
  }

  #setFrustum() {
    setFrustum(this.camera, this.perspective, this.controls.target, this);
  }

  /**
   * Asks for a frame before long: while parts come one after the other, not each is worth a frame of its own.
   * @param {() => void} [before] done once before that frame, however often it was asked for
   */
  drawSoon(before) {
    this.pace.soon(() => this.draw(), before);
  }

  /** What was asked for before long comes now. */
  hurry() {
    this.pace.hurry();
  }

  /** Asks for one frame. */
  draw() {
    this.changed = true;
    this.#request();
  }

  /** What this needs of the graphics card is made before the next frame. @param {THREE.Object3D} object */
  async prepare(object) {
    this.preparing += 1;
    await this.opened;
    await programsFor(this, object).finally(() => { this.preparing -= 1; });
    this.draw();
  }

  #request() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(/** @type {number} */ now) {
    this.pending = false;
    if (!this.radius || this.preparing || !this.renderer) return;
    const seconds = Math.min(0.1, (now - (this.before ?? now)) / 1000);
    if (this.turning && this.pace.isSlow(now - (this.before ?? now))) this.touched();
    this.before = now;
    this.flight?.(now);
    this.updating = true;
    const moved = this.controls.update(seconds);
    this.updating = false;
    if (moved || this.changed) this.renderNow();
    if (moved || this.flight || this.turning) this.#request(); // what comes to rest slowly may still move
  }

  renderNow() {
    this.#setFrustum();
    this.eye.position.copy(this.camera.position);
    this.eye.quaternion.copy(this.camera.quaternion);
    for (const listener of this.beforeFrame) listener();
    this.changed = false;
    this.renderer.render(this.scene, this.camera);
    this.pace.note(/** @type {WebGL2RenderingContext} */ (this.renderer.getContext()));
    for (const listener of this.onFrame) listener();
  }

  /** @param {{clientX: number, clientY: number}} event @returns {THREE.Raycaster} along the line of sight there */
  rayAt(event) {
    this.#setFrustum(); // the frame that shows the camera's last move may still be to come
    return rayThrough(this.canvas, this.camera, event);
  }

  /** @returns {import('./flight.js').CameraState} where the eye is, for `restoreCamera` */
  cameraState() {
    return cameraState(this.camera, this.controls.target);
  }

  /** @param {import('./flight.js').CameraState} state */
  restoreCamera(state) {
    this.touched();
    this.atHome = false;
    this.setOrthographic(state.parallel);
    placeCamera(this.camera, this.controls.target, state);
    this.draw();
  }

  /** @param {THREE.Vector3} point @returns {{x: number, y: number}} pixels from the upper left of the canvas */
  project(point) {
    this.#setFrustum();
    const ndc = point.clone().project(this.camera);
    return { x: ((ndc.x + 1) / 2) * this.width, y: ((1 - ndc.y) / 2) * this.height };
  }
}
