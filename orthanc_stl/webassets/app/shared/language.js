/**
 * The words of the pages in the language of the person: English sentences are the keys of one JSON file a language,
 * in ../words/. What a table lacks stays English.
 */

/** Languages that have a table, besides English. */
const TABLES = ['de', 'fr'];

/** @returns {string} by ?lang=, else by the browser's setting */
function wanted() {
  const asked = new URLSearchParams(location.search).get('lang');
  const all = asked ? [asked] : navigator.languages ?? [navigator.language];
  for (const each of all) {
    const code = each.slice(0, 2).toLowerCase();
    if (code === 'en' || TABLES.includes(code)) return code;
  }
  return 'en';
}

/** @param {string} code @returns {Promise<Record<string, string>>} empty where the table cannot be had */
async function tableOf(code) {
  if (code === 'en') return {};
  try {
    const response = await fetch(new URL(`../words/${code}.json`, import.meta.url));
    return response.ok ? await response.json() : {};
  } catch {
    return {}; // without a network nothing else comes either; that is told where it matters
  }
}

export const language = wanted();
const table = await tableOf(language);

/**
 * @param {string} sentence English, with {names} where values go
 * @param {Record<string, string | number>} values
 * @returns {string}
 * @example t('{count} parts', { count: 3 })
 */
export function t(sentence, values = {}) {
  return (table[sentence] ?? sentence).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * @param {number} number @param {string} one the sentence for one @param {string} many for any other {count}
 * @returns {string}
 */
export const counted = (number, one, many) => t(number === 1 ? one : many, { count: number.toLocaleString('en') });
