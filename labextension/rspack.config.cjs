/** @file What JupyterLab's own builder is told beside its defaults. */

module.exports = {
  // Numbers by the order of imports; the default is made of paths, and a build in another folder would differ.
  optimization: { moduleIds: 'natural' },
};
