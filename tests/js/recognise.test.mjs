/** Which form a file needs: by its first bytes, else by the endings that the server says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { File } from 'node:buffer';
import { recognise } from '../../orthanc_stl/webassets/app/forms/recognise.js';

const named = (name, ...bytes) => new File([new Uint8Array(bytes.length ? bytes : [1, 2, 3])], name);

test('an ending that the server reads is taken, and no other', async () => {
  assert.equal(await recognise(named('two.SPHERES'), ['.spheres']), 'structures');
  assert.equal(await recognise(named('two.spheres'), ['.nii']), null);
});

test('the first bytes go before the name', async () => {
  assert.equal(await recognise(named('a.nii', 0x20, 0x73, 0x78, 0x4e), ['.nii']), 'nexus');
  assert.equal(await recognise(named('a', 0x1f, 0x8b), []), 'structures');
});

test('an STL has a form of its own', async () => {
  assert.equal(await recognise(named('a.STL'), ['.stl', '.obj']), 'stl');
});
