/** The series of images that belong to the parts, and their stacks of slices. */

import { imagesOf } from './first-request.js';
import { Stack } from './stack.js';

/** @typedef {import('./image-series.js').ImageSeries} ImageSeries */

export class Images {
  constructor() {
    /** @type {ImageSeries[]} of the study */
    this.all = [];
    this.frame = '';
    /** @type {Map<string, Stack>} */
    this.stacks = new Map();
  }

  /** @param {string} origin an instance of the parts */
  async find(origin) {
    Object.assign(this, await imagesOf(origin));
  }

  /** @returns {ImageSeries[]} that can be laid over the parts, the referenced one first */
  get usable() {
    return this.all.filter((each) => !each.reason);
  }

  /** @param {ImageSeries} entry @returns {Stack} it begins to load when it is first opened */
  open(entry) {
    let stack = this.stacks.get(entry.id);
    if (!stack) {
      const matching = entry.facts.Stacks.findIndex((/** @type {any} */ each) => !this.frame
        || !each.FrameOfReferenceUID || each.FrameOfReferenceUID === this.frame);
      const index = Math.max(0, matching);
      stack = new Stack(entry.facts.Stacks[index], `series/${encodeURIComponent(entry.id)}/stl/images/${index}`);
      this.stacks.set(entry.id, stack);
    }
    return stack;
  }
}
