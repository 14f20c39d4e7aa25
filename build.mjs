/**
 * Builds what the server's own pages are made of, from labextension/src and labextension/style into qconnect_web/static/:
 *
 *   pages/{home,viewer}.{js,css}, pages/icon.svg   the pages of qconnect/, served under the digest of them all
 *   agent/agent.js, agent/closed.html              what is put into the page of an xpra client
 *   vnc/{index.html,vnc.js,vnc.css}                the client for VNC desktops
 *   licences.txt                                   of the packages that are bundled in these
 *
 * `--development` leaves the code readable; `--watch` does too, rebuilds on change, and the JupyterLab part with it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { rspack } from '@rspack/core';

const here = import.meta.dirname;
const sources = join(here, 'labextension', 'src');
const styles = join(here, 'labextension', 'style', 'pages');
const target = join(here, 'qconnect_web', 'static');
const watches = process.argv.includes('--watch');
const mode = watches || process.argv.includes('--development') ? 'development' : 'production';

/** The oldest browsers for which styles are written down in short. */
const BROWSERS = ['chrome 123', 'firefox 128', 'safari 17.5'];

const common = {
  mode,
  context: here,
  devtool: false, // nobody is served half a megabyte for a debugger
  resolve: { extensions: ['.tsx', '.ts', '.mjs', '.js'] },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: 'builtin:swc-loader',
        options: {
          jsc: {
            parser: { syntax: 'typescript', tsx: true },
            target: 'es2020',
            transform: { react: { runtime: 'automatic' }, useDefineForClassFields: false }, // as tsc does
          },
        },
        type: 'javascript/auto',
      },
      { test: /\.css$/, type: 'css' },
      { test: /\.svg$/, issuer: /\.css$/, type: 'asset/inline' },
      { test: /\.svg$/, issuer: /\.[jt]sx?$/, type: 'asset/source' },
    ],
  },
  optimization: {
    splitChunks: false,
    minimizer: [
      new rspack.SwcJsMinimizerRspackPlugin(),
      new rspack.LightningCssMinimizerRspackPlugin({ minimizerOptions: { targets: BROWSERS } }),
    ],
  },
  performance: { hints: false },
};

/** Modules for our own pages, each with its style. */
const pages = {
  ...common,
  name: 'pages',
  entry: {
    'pages/home': [join(styles, 'home.css'), join(sources, 'home', 'home')],
    'pages/viewer': [join(styles, 'viewer.css'), join(sources, 'viewer', 'page')],
    'vnc/vnc': [join(styles, 'vnc.css'), join(sources, 'vnc', 'main')],
  },
  output: {
    path: target,
    filename: '[name].js',
    cssFilename: '[name].css',
    module: true,
    publicPath: 'auto',
  },
  plugins: [
    new rspack.CopyRspackPlugin({
      patterns: [
        { from: join(styles, 'icon.svg'), to: 'pages/' },
        { from: join(sources, 'vnc', 'index.html'), to: 'vnc/' },
        { from: join(sources, 'agent', 'closed.html'), to: 'agent/' },
      ],
    }),
  ],
};

/** A classic script: it must run before the client's first script, which no module does. */
const agent = {
  ...common,
  name: 'agent',
  entry: { 'agent/agent': join(sources, 'agent', 'main') },
  output: { path: target, filename: '[name].js', iife: true },
};

if (mode === 'development') {
  await rm(join(here, 'qconnect_web', 'labextension', 'sources.sha256'), { force: true }); // not what hatch_build.py made
}
const compiler = rspack([pages, agent]);
if (watches) {
  compiler.watch({}, (error, stats) => {
    process.stdout.write(`${error ?? stats.toString({ preset: 'errors-warnings', colors: true })}\n`);
  });
  for (const [program, ...args] of [
    ['tsc', '-p', 'labextension', '--watch', '--preserveWatchOutput'],
    ['jupyter-builder', 'watch', '.'],
  ]) {
    spawn(program, args, { cwd: here, stdio: 'inherit' });
  }
} else {
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, found) => (error ? reject(error) : resolve(found)));
  });
  if (stats.hasErrors() || stats.hasWarnings()) {
    throw new Error(stats.toString({ preset: 'errors-warnings' }));
  }
  await writeFile(join(target, 'licences.txt'), await licences(bundled(stats)));
}

/** The files of packages that are in the bundles. */
function bundled(stats) {
  const modules = stats.stats.flatMap(({ compilation }) => [...compilation.modules]);
  const files = modules
    .flatMap(module => [module, ...(module.modules ?? [])])
    .map(({ resource }) => resource);
  return new Set(
    files.filter(file => file?.includes('/node_modules/')).map(file => file.replace(/\?.*/, '')),
  );
}

/** The packages of these files, with the texts of their licences and of those of parts that lie within them. */
async function licences(files) {
  const packages = new Map();
  for (const file of files) {
    const [root] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file);
    const folders = packages.get(root) ?? new Set([root, join(root, 'docs')]); // noVNC has its licence's text there
    for (let folder = dirname(file); folder !== root; folder = dirname(folder)) {
      folders.add(folder);
    }
    packages.set(root, folders);
  }
  const chapters = [...packages].sort().map(([root, folders]) => chapter(root, [...folders].sort()));
  return (await Promise.all(chapters)).join('\n\n');
}

/** One package: its name, version and licence, from where its source is to be had, and the texts in these folders. */
async function chapter(root, folders) {
  const told = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const source = told.repository?.url ?? told.repository ?? told.homepage ?? '';
  const texts = (await Promise.all(folders.filter(existsSync).map(licenceFiles))).flat();
  if (!texts.length && told.name.startsWith('@lumino/') && told.license === 'BSD-3-Clause') {
    texts.push(join(here, 'node_modules', '@jupyter', 'builder', 'LICENSE')); // its authors' text, which it lacks
  }
  if (!texts.length) {
    throw new Error(`${told.name} comes without a licence.`);
  }
  const parts = texts.map(async path => `--- ${basename(path)}\n${await readFile(path, 'utf8')}`);
  return [`=== ${told.name} ${told.version}: ${told.license}, ${source}`, ...(await Promise.all(parts))].join(
    '\n',
  );
}

/** The paths of the licences in a folder. */
async function licenceFiles(folder) {
  const names = (await readdir(folder)).filter(name => /^(licen[cs]e|copying|notice)\b/i.test(name));
  return names.sort().map(name => join(folder, name));
}
