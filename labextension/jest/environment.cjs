const { TestEnvironment } = require('jest-environment-jsdom');

/** jsdom with what browsers have and it has not: Node's own fetch and its companions, observers that observe nothing, and dialogs. */
module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    const names = 'fetch Headers Request Response AbortController AbortSignal TextEncoder TextDecoder'.split(
      ' ',
    );
    for (const name of names) {
      this.global[name] = globalThis[name];
    }
    this.global.requestIdleCallback = callback => this.global.setTimeout(callback, 0);
    this.global.DragEvent = class extends this.global.MouseEvent {};
    this.global.ResizeObserver = class {
      observe() {}
      unobserve() {}
      disconnect() {}
    };
    const dialog = this.global.HTMLDialogElement.prototype;
    dialog.showModal = function () {
      this.open = true;
    };
    dialog.close = function () {
      this.open = false;
      this.dispatchEvent(new this.ownerDocument.defaultView.Event('close'));
    };
    this.global.matchMedia = () => ({ matches: false, addListener() {}, removeListener() {} });
  }
};
