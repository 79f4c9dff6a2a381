/** How often a scene that changes by itself is drawn: the graphics card spends a small part of its time on it. */

const LEAST = 400; // ms between two frames
const SHARE = 16; // times as long as a frame takes
const MOST = 5000; // ms: a person sees that parts come
const SLOW_FRAME = 120; // ms: a machine this slow is not asked to turn models for show
const LOOK = 30; // ms between looks at whether a frame is done

/**
 * Asks for it now and then, so that nobody waits for it.
 * @param {WebGL2RenderingContext} gl @returns {Promise<void>} when the graphics card has done what it was told so far
 */
export function cardIsDone(gl) {
  const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0); // null: the context is lost
  gl.flush();
  return new Promise((resolve) => {
    const look = () => {
      if (sync && !gl.isContextLost() && gl.getSyncParameter(sync, gl.SYNC_STATUS) === gl.UNSIGNALED) {
        setTimeout(look, LOOK);
        return;
      }
      gl.deleteSync(sync);
      resolve();
    };
    setTimeout(look, LOOK);
  });
}

export class Pace {
  constructor() {
    this.begun = -Infinity;
    /** ms that the last frame took, the graphics card's work included. */
    this.cost = 0;
    this.measuring = false;
    this.slowFrames = 0; // one after the other
    /** @type {Set<() => void>} what comes before the next frame */
    this.due = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {(() => void) | undefined} */
    this.draw = undefined;
  }

  /**
   * A frame was handed to the graphics card. It is asked later whether that is drawn, so that nobody waits for it.
   * @param {WebGL2RenderingContext} gl
   */
  note(gl) {
    this.begun = performance.now();
    if (this.measuring) return;
    this.measuring = true;
    const { begun } = this;
    cardIsDone(gl).then(() => {
      this.cost = performance.now() - begun;
      this.measuring = false;
    });
  }

  /**
   * @param {() => void} draw asks for a frame @param {() => void} [before] done once before it, however often it was
   * asked for
   */
  soon(draw, before) {
    if (before) this.due.add(before);
    this.draw = draw;
    this.timer ??= setTimeout(() => this.#frame(), this.#wait());
  }

  /**
   * A model that turns by itself must not make a slow machine slower.
   * @param {number} past ms since the frame before @returns {boolean} whether several in turn took too long
   */
  isSlow(past) {
    this.slowFrames = past > SLOW_FRAME ? this.slowFrames + 1 : 0;
    return this.slowFrames > 5;
  }

  /** The frame that was asked for comes now, such as when nothing more is awaited. */
  hurry() {
    if (this.timer !== undefined) this.#frame();
  }

  #frame() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const due = [...this.due];
    this.due.clear();
    for (const each of due) each();
    this.draw?.();
  }

  /** @returns {number} ms from now until the next frame that nobody's hand asked for */
  #wait() {
    const past = performance.now() - this.begun;
    const share = SHARE * Math.max(this.cost, this.measuring ? past : 0);
    return Math.max(0, Math.min(MOST, Math.max(LEAST, share)) - past);
  }
}
