// Small values that the browser keeps: `local` until they are removed, and `session` until this tab is closed. If the browser keeps nothing for
// this page, they are kept until the page is left.

class Values {
  #storage;
  #values = new Map();

  constructor(name) {
    try {
      this.#storage = window[name];
    } catch {
      this.#storage = null; // Access is denied.
    }
  }

  /** Returns a value, or null. */
  getItem = key => this.#values.get(key) ?? this.#storage?.getItem(key) ?? null;

  /** Keeps a value. */
  setItem(key, value) {
    try {
      this.#storage.setItem(key, value);
      this.#values.delete(key);
    } catch {
      this.#values.set(key, value); // There is no room, or no storage.
    }
  }

  /** Removes a value. */
  removeItem(key) {
    this.#values.delete(key);
    this.#storage?.removeItem(key);
  }
}

export const local = new Values("localStorage");
export const session = new Values("sessionStorage");
