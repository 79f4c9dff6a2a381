/** The 3D window of a Nexus model: the shared one, with a light that can be aimed and nodes chosen for each frame. */

import * as THREE from 'three';
import { fittingDistance } from '../../app/viewer/flight.js';
import { Stage } from '../../app/viewer/stage.js';
import { t } from '../../app/shared/language.js';
import { Materials } from './materials.js';
import { Nodes } from './nodes.js';

const CLOSEST = 1e-3; // of the model's radius: these models are fine
const FILLED = { width: 0.92, height: 0.8 }; // of the window, by the model's box in its home view
const HOME = new THREE.Vector3(0.3, 0.22, 1).normalize(); // where Y points up
const POINTS = { least: 1, most: 16 };
const Y = new THREE.Vector3(0, 1, 0), Z = new THREE.Vector3(0, 0, 1);

/** @typedef {import('../stream/model.js').NexusModel} NexusModel */

export class NexusStage extends Stage {
  /** @param {HTMLElement} container gets the canvas @throws {Error} where the browser has no WebGL 2 */
  constructor(container) {
    super(container, { up: Y, closest: CLOSEST,
      lights: (scene, eye) => scene.add(eye, new THREE.HemisphereLight(0xffffff, 0xc8c0b8, 1.15)) });
    this.open();
    this.canvas.id = 'draw-canvas';
    this.canvas.setAttribute('aria-label', t('3D model'));
    this.materials = new Materials();
    /** @type {NexusModel | null} */
    this.model = null;
    this.nodes = /** @type {Nodes} */ (/** @type {unknown} */ (null)); // comes with the model
    this.light = new THREE.DirectionalLight(0xffffff, 3);
    this.lightAngles = [0, 0];
    this.eye.add(this.light, this.light.target);
    this.aimLight(-0.35, 0.4);
    this.beforeFrame.push(() => this.#chooseNodes());
    this.container.addEventListener('wheel', (event) => {
      if (!event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.resizePoints(event.deltaY < 0 ? 1 : -1);
    }, { capture: true, passive: false });
  }

  /** @param {number} turn @param {number} height in radians, from the line of sight */
  aimLight(turn, height) {
    this.lightAngles = [turn, height];
    this.light.position.set(Math.sin(turn) * Math.cos(height), Math.sin(height), Math.cos(turn) * Math.cos(height));
    this.draw();
  }

  /** Left turns, middle and right (or left with Ctrl or Shift) move, the wheel zooms, Alt and the wheel size points. */
  newControls() {
    const controls = super.newControls();
    controls.mouseButtons = { LEFT: THREE.MOUSE.ROTATE, MIDDLE: THREE.MOUSE.PAN, RIGHT: THREE.MOUSE.PAN };
    return controls;
  }

  /** @param {number} step */
  resizePoints(step) {
    const { materials } = this;
    materials.pointSize = Math.min(POINTS.most, Math.max(POINTS.least, materials.pointSize + step));
    materials.point.value = materials.pointSize * this.renderer.getPixelRatio();
    this.draw();
  }

  /** @param {NexusModel} model whose middle becomes the origin */
  show(model) {
    this.model = model;
    this.radius = model.header.radius;
    this.nodes = new Nodes(model, this.materials);
    this.world.add(this.nodes.group);
    model.addEventListener('change', () => this.draw());
    this.limitControls();
    this.resizePoints(0);
    this.nodes.box.setFromCenterAndSize(new THREE.Vector3(), new THREE.Vector3().setScalar(1.2 * this.radius));
    this.goHome(false);
    this.nodes.box.makeEmpty(); // a guess, until the first part tells
  }

  /** From the front, a little from the side and above, so that the model's box fits between the bars of tools. */
  goHome(smooth = true) {
    const back = HOME.clone().applyQuaternion(new THREE.Quaternion().setFromUnitVectors(Y, this.camera.up));
    const { box } = this.nodes;
    if (box.isEmpty()) return;
    const distance = fittingDistance(box, back, this.perspective, FILLED);
    this.flyTo(back, box.getCenter(new THREE.Vector3()), Math.max(distance, this.radius * 0.1), smooth);
    this.atHome = true;
  }

  /** @param {number} factor 1.25: a quarter larger on the screen */
  zoomBy(factor) {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const parallel = this.camera === this.orthographic;
    this.flyTo(offset.clone().normalize(), this.controls.target, offset.length() / (parallel ? 1 : factor), true,
      this.camera.zoom * (parallel ? factor : 1));
  }

  /** @param {'y' | 'z'} axis that points up on the screen */
  setUpright(axis) {
    const up = axis === 'z' ? Z : Y;
    const turn = new THREE.Quaternion().setFromUnitVectors(this.camera.up, up);
    const { target, enableRotate } = this.controls;
    const offset = this.camera.position.clone().sub(target).applyQuaternion(turn);
    this.touched();
    this.setUp(up);
    this.controls.dispose();
    this.camera.position.copy(target).add(offset);
    this.controls = Object.assign(this.newControls(), { enableRotate });
    this.controls.target.copy(target);
    this.limitControls();
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

  /** Size of a pixel at a distance from the eye, in the model's units. @param {number} distance */
  pixelAt(distance) {
    const { camera } = this;
    if (camera instanceof THREE.OrthographicCamera) return (camera.top - camera.bottom) / camera.zoom / this.height;
    return (distance * 2 * Math.tan(THREE.MathUtils.degToRad(camera.fov / 2))) / this.height / camera.zoom;
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

  /** @param {MouseEvent} event @returns {THREE.Vector3 | null} the point of the model there, relative to its middle */
  pick(event) {
    const isKept = (/** @type {THREE.Vector3} */ point) =>
      this.materials.planes.every((plane) => plane.distanceToPoint(point) >= 0);
    return this.nodes.pick(this.rayAt(event).ray, isKept, (distance) => this.pixelAt(distance));
  }

  /** @param {THREE.Vector3} point relative to the middle @returns {number[]} in the coordinates of the file */
  coordinates(point) {
    const { centre } = /** @type {NexusModel} */ (this.model).header;
    return point.toArray().map((x, k) => x + centre[k]);
  }
}
