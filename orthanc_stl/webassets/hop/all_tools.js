/** 3DHOP_all_tools.html?instance=<Orthanc id of a Nexus instance> */

import { showModel } from '../nexus/view/page.js';

const instance = new URLSearchParams(location.search).get('instance');

showModel(instance ? `../3dhop-instances/${encodeURIComponent(instance)}.nxz` : null, {
  tools: 'all',
  instance,
  missing: 'The address of this page must end with ?instance= and the Orthanc identifier of an instance with a Nexus model.',
});
