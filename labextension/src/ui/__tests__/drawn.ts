/** A view in a page, as a user meets it. */
import { act, type ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

/** Fills in a text as a browser does it: React looks for changes beside its own property. */
export function enter(field: HTMLInputElement, text: string): void {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(field, text);
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

export class Drawn {
  readonly node = document.body.appendChild(document.createElement('div'));

  /** Draws the view, in place of what was drawn before. */
  async draw(view: ReactElement): Promise<this> {
    await act(async () => {
      this._root.render(view);
      await Promise.resolve();
    });
    return this;
  }

  async remove(): Promise<void> {
    await act(async () => {
      this._root.unmount();
      await Promise.resolve();
    });
    this.node.remove();
  }

  get text(): string {
    return this.node.textContent;
  }

  /** The first element that fits; throws when there is none. */
  find(selector: string): HTMLElement {
    const found = this.node.querySelector<HTMLElement>(selector);
    if (!found) {
      throw new Error(`There is no ${selector} in: ${this.node.innerHTML}`);
    }
    return found;
  }

  /** The box that can be opened. */
  get box(): HTMLDetailsElement {
    return this.find('details') as HTMLDetailsElement;
  }

  /** The field to type in. */
  get field(): HTMLInputElement {
    return this.find('input') as HTMLInputElement;
  }

  all(selector: string): HTMLElement[] {
    return [...this.node.querySelectorAll<HTMLElement>(selector)];
  }

  /** The button with this label (or text, where it has none). */
  button(name: string): HTMLButtonElement {
    const found = this.all('button').find(
      one => (one.getAttribute('aria-label') ?? one.textContent) === name,
    );
    if (!(found instanceof HTMLButtonElement)) {
      throw new Error(`There is no button ${name}.`);
    }
    return found;
  }

  /** Does something, and waits for what comes of it. */
  async doing(action: () => void): Promise<void> {
    await act(async () => {
      action();
      await new Promise(resolve => setTimeout(resolve, 0));
    });
  }

  async click(element: HTMLElement): Promise<void> {
    return this.doing(() => element.click());
  }

  async type(text: string): Promise<void> {
    return this.doing(() => enter(this.field, text));
  }

  private readonly _root: Root = createRoot(this.node);
}
