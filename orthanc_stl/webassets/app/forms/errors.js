/** What the server said, for a person. */

/** @param {string} words @returns {string} with a capital and a full stop */
export function asSentence(words) {
  const text = words.trim();
  if (!text) return '';
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');
}

/**
 * @param {string} words that may name a resource by Orthanc's identifier @param {string} name how people call it
 * @returns {string} a sentence without the identifier
 * @example withoutIds('instance 0a..-.. is an RT-STRUCT', 'This object') === 'This object is an RT-STRUCT.'
 */
export const withoutIds = (words, name) => asSentence(words
  .replace(/\b(?:the )?(?:instance|series|study|patient) [0-9a-f]{8}(?:-[0-9a-f]{8}){4}/gi, name));
