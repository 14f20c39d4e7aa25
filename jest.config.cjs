/** Unit tests of the browser code, in a page that jsdom simulates where they do not ask for Node alone. */
module.exports = {
  rootDir: 'labextension',
  testEnvironment: '<rootDir>/jest/environment.cjs',
  testMatch: ['<rootDir>/src/**/__tests__/*.spec.ts', '<rootDir>/src/**/__tests__/*.spec.tsx'],
  transform: {
    '\\.(m?js|tsx?)$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', tsx: true },
          transform: { react: { runtime: 'automatic' } },
          target: 'es2022',
        },
      },
    ],
  },
  // JupyterLab's packages, and what they use, are ES modules that Jest has to turn into CommonJS.
  transformIgnorePatterns: [
    '/node_modules/(?!(@jupyterlab|@jupyter|@lumino|@microsoft|lib0|y-protocols|nanoid|exenv-es6)/)',
  ],
  moduleNameMapper: { '\\.(svg|css)$': '<rootDir>/jest/drawing.cjs' },
};
