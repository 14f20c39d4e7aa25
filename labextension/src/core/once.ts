/** Keeps the second half of a double click from doing the same thing again. */

/** Milliseconds that an action is closed from its start on: longer than any desktop's double-click time. */
const CLOSED_FOR_MS = 1000;

/** Runs at most one action per name at a time, and none of that name within a second of the last one's start. */
export class Once {
  /** What `action` gives; null when one of that name is under way or has just begun. */
  async run<T>(name: string, action: () => Promise<T>): Promise<T | null> {
    if (this._closed.has(name)) {
      return null;
    }
    this._closed.add(name);
    const began = Date.now();
    try {
      return await action();
    } finally {
      const rest = CLOSED_FOR_MS - (Date.now() - began);
      setTimeout(() => this._closed.delete(name), Math.max(0, rest));
    }
  }

  private readonly _closed = new Set<string>();
}
