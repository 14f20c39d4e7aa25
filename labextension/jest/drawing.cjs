/** Stands for any drawing or style sheet that a module imports. */
module.exports = { __esModule: true, default: '<svg xmlns="http://www.w3.org/2000/svg"></svg>' };
