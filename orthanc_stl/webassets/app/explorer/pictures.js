/** Pictures and names of a series' stored models, in Orthanc Explorer's list of its instances. */

import { getJson, request } from '../shared/api.js';

const WIDTH = 128;

/**
 * The models are asked for one by one, so that a worker has time for others.
 *
 * @param {string[]} pictured SOP classes that have a picture
 * @param {() => boolean} shown whether the page of the series is still there
 */
export async function showPictures(pictured, shown) {
  for (const row of await rowsOfList(shown)) {
    const path = `instances/${String($(row).attr('href')).split('uuid=')[1]}`;
    /** @type {{SOPClassUID: string, ContentDescription?: string}} */
    const tags = await getJson(`${path}/simplified-tags`);
    if (!pictured.includes(tags.SOPClassUID)) continue;
    const picture = await request(`${path}/stl/preview?width=${WIDTH}`).then((answer) => answer.blob(), () => null);
    if (!shown()) return;
    if (picture) fill(row, picture, tags.ContentDescription ?? '');
  }
}

/** @param {any} row of the list @param {Blob} picture @param {string} name */
function fill(row, picture, name) {
  const image = $('<img>').attr({ src: URL.createObjectURL(picture), alt: '', class: 'stl-picture' })
    .css({ float: 'right', height: '56px', 'margin-right': '24px' });
  $(row).find('.stl-picture, .stl-name').remove();
  $(row).prepend(image).find('h3').append($('<span>').addClass('stl-name').text(name && `: ${name}`));
}

/** The links of the list, which Orthanc Explorer fills at its own time. @param {() => boolean} shown */
async function rowsOfList(shown) {
  const find = () => $('#series a[href^="#instance?uuid="]').toArray();
  for (let tries = 0; shown() && !find().length && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return find();
}
