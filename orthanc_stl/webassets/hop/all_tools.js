/** 3DHOP_all_tools.html?instance=<Orthanc id of a Nexus instance> */

import { getJson } from '../app/shared/api.js';
import { t } from '../app/shared/language.js';
import { showModel } from '../nexus/view/page.js';

const instance = new URLSearchParams(location.search).get('instance');

/** The style of the canvas that the site has configured; without one, or if that may not be read, ours. */
const style = getJson('stl/app/settings.json').then(({ CanvasStyle }) => CanvasStyle ?? '', () => '');

// Not the address that 3DHOP uses: a site's rules for instances cover this one.
showModel(instance ? `../../instances/${encodeURIComponent(instance)}/nexus` : null, {
  tools: 'all',
  instance,
  style,
  missing: t('The address of this page must end with ?instance= and the Orthanc identifier of an instance with a Nexus '
    + 'model.'),
});
