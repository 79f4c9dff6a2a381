/** What sort of thing a part is: four kinds that people filter by. */

/** @typedef {'Target' | 'Organ' | 'External' | 'Support'} Kind */

/** @type {readonly Kind[]} */
export const KINDS = ['Target', 'Organ', 'External', 'Support'];

/** What people look at comes first; what stands around it, and takes the longest, last. @type {Record<Kind, number>} */
export const LOADING_RANK = { Target: 3, Organ: 3, External: 2, Support: 1 };

/**
 * RT ROI Interpreted Type (PS3.3 C.8.8.8.1) to our kinds; all that is not named here is an organ.
 * @type {Record<string, Kind>}
 */
const BY_TYPE = {
  PTV: 'Target', CTV: 'Target', GTV: 'Target', TREATED_VOLUME: 'Target', IRRAD_VOLUME: 'Target',
  EXTERNAL: 'External', SUPPORT: 'Support', FIXATION: 'Support', BOLUS: 'Support', BRACHY_CHANNEL: 'Support',
};

/** Names as planners write them, for files that leave the type empty. @type {[RegExp, Kind][]} */
const BY_NAME = [
  [/^[zx_ ]*(i?ptv|i?ctv|i?gtv|itv|tumou?r|lesion|mass)/i, 'Target'],
  [/^(body|external|skin|outer.?contour|patient.?outline)\b/i, 'External'],
  [/couch|table|fixation|mask|bolus|support|base.?plate|headrest/i, 'Support'],
];

/** @param {string} type @param {string} name @returns {Kind} */
export function kindOf(type, name) {
  const byType = BY_TYPE[type.toUpperCase()];
  if (byType) return byType;
  return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? 'Organ';
}
