/** What the server said, for a person. */

import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.location = /** @type {any} */ ({ search: '?lang=en' });
const { asSentence, forPerson, withName } = await import('../../orthanc_stl/webassets/app/shared/sentences.js');

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

for (const [name, text, said] of [
  ['Heart', 'it is empty', 'Heart: it is empty'],
  ['Heart', 'Heart is empty', 'Heart is empty'],
  ['Heart', 'heart: 2 contours are left out', 'heart: 2 contours are left out'],
  ['Heart', 'Hearts are rare', 'Heart: Hearts are rare'],
  ['Heart', 'the surface of ROI "Heart" is torn', 'the surface of ROI "Heart" is torn'],
  ['1', 'it has 1 piece', '1: it has 1 piece'],
]) {
  test(`what is said of ${name}, ${JSON.stringify(text)}, has its name once`, () => {
    assert.equal(withName(name, text), said);
  });
}
