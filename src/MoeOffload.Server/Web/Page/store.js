// The chat, which the browser keeps until a new one begins.

const storeName = "moeoffload.chat";

/** Returns the messages that were kept. */
export function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(storeName));
    return Array.isArray(kept) ? kept.filter(isMessage) : [];
  } catch {
    return [];
  }
}

/** Keeps messages. */
export function write(messages) {
  try {
    localStorage.setItem(storeName, JSON.stringify(messages));
  } catch {
    clear(); // The browser has no room for the chat. A part of it would be misleading.
  }
}

/** Removes the messages. */
export const clear = () => localStorage.removeItem(storeName);

const isMessage = message =>
  (message?.role === "user" || message?.role === "assistant") && typeof message.content === "string";
