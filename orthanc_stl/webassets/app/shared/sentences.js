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
 * @param {string} words that may name a resource by Orthanc's identifier
 * @returns {string} a sentence without the identifier, in the person's language where there are words for it
 * @example forPerson('instance 0a..-.. is an RT-STRUCT') === 'This object is an RT-STRUCT.'
 */
export const forPerson = (words) => asSentence(t(words)
  .replace(NONE, 'this object is not').replace(RESOURCE, 'this object'));
