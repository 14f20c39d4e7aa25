import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** JupyterLab's own habits; each one counts. */
const jupyterRules = Object.fromEntries(
  Object.keys(jupyter.configs['recommended-legacy'].rules).map(name => [name, 'error']),
);

/**
 * Which rooms of labextension/src each one may import from. What the viewer's page shares with the clients in its
 * frames is in `viewer/messages` and `viewer/browser-clipboard`; those three rooms carry no framework.
 */
const ROOMS = {
  core: { rooms: [], packages: ['@lumino/(coreutils|disposable|polling|signaling)'] },
  ui: { rooms: ['core'] },
  lab: { rooms: ['core', 'ui', 'viewer/messages'] },
  home: { rooms: ['core', 'ui'] },
  viewer: { rooms: ['core'], packages: [] },
  agent: { rooms: ['viewer/(messages|browser-clipboard)'], packages: [] },
  vnc: { rooms: ['agent', 'viewer/(messages|browser-clipboard)'], packages: ['@novnc/novnc'] },
};

/** The rule that keeps a room to what it may import; without `packages`: any. */
function directions([room, { rooms, packages }]) {
  const others = Object.keys(ROOMS).filter(name => name !== room);
  const allowed = rooms.length ? `(?!(${rooms.join('|')})(/|$))` : '';
  const patterns = [
    {
      regex: `^(\\.\\./)+${allowed}(${others.join('|')})(/|$)`,
      message: `${room} may not import this room.`,
    },
  ];
  if (packages) {
    const known = packages.length ? `(?!(${packages.join('|')})$)` : '';
    patterns.push({ regex: `^${known}[^.]`, message: `${room} carries no framework.` });
  }
  return {
    files: [`labextension/src/${room}/**/*.{ts,tsx}`],
    ignores: ['**/__tests__/**'],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

/** Rules for all scripts, typed through their project. */
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
    'qconnect_web/static/',
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
  ...Object.entries(ROOMS).map(directions),
  {
    files: ['labextension/src/core/**'],
    ignores: ['**/__tests__/**'],
    rules: {
      // Its project (tsconfig.core.json) has a worker's types, and so no document; nor may it know where it runs.
      'no-restricted-globals': ['error', 'self', 'location', 'navigator'],
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
