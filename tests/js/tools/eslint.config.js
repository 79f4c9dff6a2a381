/** ESLint over what the pages load and over the JavaScript suites; run from the top of the repository. */

import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const require = createRequire(path.join(process.env.ORTHANC_STL_JS_TOOLS, 'eslint/package.json'));
const js = require('@eslint/js');
const globals = require('globals');

export default [
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'no-implicit-globals': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      'prefer-template': 'error',
    },
  },
  { files: ['orthanc_stl/webassets/**'], languageOptions: { globals: globals.browser } },
  { files: ['orthanc_stl/webassets/**/*worker.js'], languageOptions: { globals: globals.worker } },
  {
    files: ['orthanc_stl/webassets/explorer.js', 'orthanc_stl/webassets/app/explorer/*.js'],
    languageOptions: { globals: { $: 'readonly', ORTHANC_STL: 'readonly' } },
  },
  { files: ['orthanc_stl/webassets/app/o3dv.js'], languageOptions: { globals: { OV: 'readonly' } } },
  { files: ['tests/**'], languageOptions: { globals: globals.node } },
];
