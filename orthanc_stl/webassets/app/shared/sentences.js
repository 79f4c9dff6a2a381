/** What the server said, or a part of the page that has no words of its own, for a person. */

import { t } from './language.js';

const RESOURCE = /\b(?:the )?(?:instance|series|study|patient) [0-9a-f]{8}(?:-[0-9a-f]{8}){4}/gi;
const NONE = new RegExp(`\\bno ${RESOURCE.source.replace('\\b', '')} is\\b`, 'gi');

/** @param {string} words @returns {string} with a capital and a full stop */
export function asSentence(words) {
  const text = words.trim();
  if (!text) return '';
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…:]$/.test(text) ? '' : '.');
}

/**
 * @param {string} name @param {string} text
 * @returns {number} where a sentence itself names what it is of: at its beginning or in quotes; -1: it does not
 */
export function placeOfName(name, text) {
  const begins = text.toLowerCase().startsWith(name.toLowerCase()) && !/^[\p{L}\p{N}_]/u.test(text.slice(name.length));
  if (begins) return name ? 0 : -1;
  const quoted = text.indexOf(`"${name}"`);
  return quoted < 0 ? -1 : quoted + 1;
}

/** @param {string} name @param {string} text @returns {string} that names what it is of, once */
export const withName = (name, text) => (placeOfName(name, text) < 0 ? `${name}: ${text}` : text);

/**
 * @param {string} words that may name a resource by Orthanc's identifier
 * @returns {string} a sentence without the identifier, in the person's language where there are words for it
 * @example forPerson('instance 0a..-.. is an RT-STRUCT') === 'This object is an RT-STRUCT.'
 */
export const forPerson = (words) => asSentence(t(words)
  .replace(NONE, 'this object is not').replace(RESOURCE, 'this object'));
