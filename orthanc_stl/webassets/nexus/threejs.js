/** threejs.html?model=<address of a Nexus model, relative to this page> */

import { t } from '../app/shared/language.js';
import { showModel } from './view/page.js';

const model = new URLSearchParams(location.search).get('model');

showModel(model, {
  tools: 'few',
  instance: /\/instances\/([0-9a-f-]+)\/nexus$/.exec(model ?? '')?.[1] ?? null,
  missing: t('The address of this page must end with ?model= and the address of a Nexus model, such as {example}.',
    { example: '../../instances/<Orthanc id>/nexus' }),
});
