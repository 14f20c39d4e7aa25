/** Bundles noVNC, the VNC client for browsers, into qconnect_web/novnc/: one module without its 40 files' requests. */
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rspack } from '@rspack/core';

const here = import.meta.dirname;
const target = join(here, 'qconnect_web', 'novnc');
const novnc = join(dirname(fileURLToPath(import.meta.resolve('@novnc/novnc'))), '..');

const compiler = rspack({
  mode: 'production',
  context: here,
  entry: '@novnc/novnc',
  experiments: { outputModule: true },
  output: {
    path: target,
    filename: 'novnc.js',
    module: true,
    library: { type: 'module' },
    clean: true,
    publicPath: '',
  },
  performance: { hints: false },
});

const stats = await new Promise((resolve, reject) => {
  compiler.run((error, found) => (error ? reject(error) : resolve(found)));
});
if (stats.hasErrors() || stats.hasWarnings()) {
  throw new Error(stats.toString());
}
for (const [name, file] of [
  ['LICENSE.txt', 'LICENSE.txt'],
  ['LICENSE.MPL-2.0', join('docs', 'LICENSE.MPL-2.0')],
  ['LICENSE.pako', join('vendor', 'pako', 'LICENSE')],
]) {
  await copyFile(join(novnc, file), join(target, name));
}
