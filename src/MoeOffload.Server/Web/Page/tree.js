// The messages of a conversation as a tree: each message has the one before it as its parent, and versions of a message have the same parent.

/** A tree of messages. */
export class Tree {
  #messages = new Map();

  constructor(messages = []) {
    for (const message of messages) this.add(message);
  }

  /** Adds a message, or replaces the one with its identifier. */
  add(message) {
    this.#messages.set(message.id, message);
  }

  /** Gets a message. */
  get = id => this.#messages.get(id);

  /** All messages, in no particular order. */
  get all() {
    return [...this.#messages.values()];
  }

  /** Returns the messages after a message, the oldest version first. */
  childrenOf = id => this.all.filter(message => message.parent === id)
    .sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));

  /** Returns the versions of a message, including itself. */
  versionsOf = message => this.childrenOf(message.parent).filter(version => version.role === message.role);

  /** Returns the messages from the first one to a message. */
  pathTo(id) {
    const path = [];
    const seen = new Set();
    for (let message = this.get(id); message && !seen.has(message.id); message = this.get(message.parent)) {
      seen.add(message.id);
      path.unshift(message);
    }
    return path;
  }

  /** Returns the end of the newest branch that begins with a message, or with the first message. */
  leafOf(id = null) {
    const seen = new Set();
    for (let next = this.childrenOf(id).at(-1); next && !seen.has(next.id); next = this.childrenOf(id).at(-1)) {
      id = next.id;
      seen.add(id);
    }
    return id;
  }
}
