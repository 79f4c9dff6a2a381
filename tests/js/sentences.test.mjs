/** What the server said, for a person. */

import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.location = /** @type {any} */ ({ search: '?lang=en' });
const { asSentence, forPerson } = await import('../../orthanc_stl/webassets/app/shared/sentences.js');

for (const [words, sentence] of [
  ['no such structure', 'No such structure.'], ['Wait …', 'Wait …'], [' is it closed? ', 'Is it closed?'],
  ['the study has:', 'The study has:'], ['', ''], ['“a” is none', '“a” is none.'],
]) {
  test(`${JSON.stringify(words)} becomes ${JSON.stringify(sentence)}`, () => {
    assert.equal(asSentence(words), sentence);
  });
}

test('a resource is not named by its identifier', () => {
  const id = '0a1b2c3d-00000000-11111111-22222222-deadbeef';
  assert.equal(forPerson(`instance ${id} is an RT-STRUCT`), 'This object is an RT-STRUCT.');
  assert.equal(forPerson(`no instance ${id} is stored in Orthanc`), 'This object is not stored in Orthanc.');
  assert.equal(forPerson(`nothing of the Series ${id} can be read`), 'Nothing of this object can be read.');
});
