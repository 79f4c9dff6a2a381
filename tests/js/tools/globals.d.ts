/** What the pages find in the browser and TypeScript does not know. */

/** jQuery 1 of Orthanc Explorer. */
declare const $: any;

/** What the plugin writes in front of explorer.js. */
declare const ORTHANC_STL: any;

interface Navigator {
  /** GiB; Chromium only. */
  readonly deviceMemory?: number;
}

/** Online3DViewer. */
declare const OV: any;
