import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** JupyterLab's own habits; each one counts. */
const jupyterRules = Object.fromEntries(
  Object.keys(jupyter.configs['recommended-legacy'].rules).map(name => [name, 'error']),
);

/** Rules for all scripts, typed through their projects: TypeScript by its types, JavaScript by its JSDoc. */
const typed = {
  extends: [
    js.configs.recommended,
    tseslint.configs.strictTypeChecked,
    tseslint.configs.stylisticTypeChecked,
  ],
  rules: {
    curly: 'error',
    eqeqeq: 'error',
    'no-console': 'error',
    'prefer-const': 'error',
    'max-lines': ['error', 300],
    'max-lines-per-function': ['error', { max: 30, skipBlankLines: true, skipComments: true }],
    'no-undef': 'off', // the type checker knows better what there is in a browser
    '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  },
};

export default defineConfig(
  globalIgnores([
    'node_modules/',
    'labextension/lib/',
    'labextension/src/core/openapi.ts',
    'qconnect_web/labextension/',
    'qconnect_web/novnc/',
    'build/',
    'dist/',
    '.venv/',
    'tests/artefacts/',
  ]),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['labextension/src/**/*.ts', 'labextension/src/**/*.tsx'],
    ...typed,
    plugins: { jupyter },
    languageOptions: {
      parserOptions: {
        project: 'labextension/tsconfig.test.json',
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      ...typed.rules,
      ...jupyterRules,
      'jupyter/prefer-lazy-imports': 'off', // activation needs every one of the small modules at once
      '@typescript-eslint/unbound-method': 'off', // signals take a method and its `this` apart
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: true } },
      ],
    },
  },
  {
    files: ['qconnect_web/static/**/*.js'],
    ...typed,
    languageOptions: {
      parserOptions: {
        project: 'qconnect_web/static/tsconfig.json',
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    files: ['labextension/src/**/__tests__/**'],
    rules: {
      'max-lines-per-function': 'off', // a block describes many cases
      'jupyter/no-untranslated-string': 'off', // nobody reads a test's example in a dialog
    },
  },
  {
    files: ['*.mjs', '*.cjs', 'tests/**/*.js', 'tests/**/*.mjs', 'labextension/style/*.js'],
    extends: [js.configs.recommended],
  },
);
