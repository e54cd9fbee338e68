// The keys of the page, and the list of them.

import { byId, element } from "./dom.js";
import { onPreferences, preference } from "./preferences.js";

const control = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

// Keys without a modifier do nothing in a field, in which they are text, and can be turned off.
const table = [
  { name: "send", keys: () => preference("send") === "enter" ? ["Enter"] : [control, "Enter"], text: "Send the message" },
  { name: "line", keys: () => preference("send") === "enter" ? ["Shift", "Enter"] : ["Enter"], text: "Start a new line" },
  { name: "escape", keys: () => ["Esc"], text: "Stop the answer, or close what is open" },
  { name: "edit", keys: () => ["Alt", "↑"], text: "Edit your last message", matches: event => event.altKey && event.key === "ArrowUp" },
  { name: "new", keys: () => [control, "Shift", "O"], text: "Begin a new conversation", matches: event => isControl(event) && event.shiftKey && event.key.toLowerCase() === "o" },
  { name: "search", keys: () => [control, "K"], text: "Search conversations", matches: event => isControl(event) && !event.shiftKey && event.key.toLowerCase() === "k" },
  { name: "write", keys: () => ["/"], text: "Write a message", isSingle: true },
  { name: "list", keys: () => ["?"], text: "Show this list", isSingle: true },
];

const isControl = event => event.ctrlKey || event.metaKey;
const isField = node => node.matches("input:not([type=radio], [type=checkbox]), textarea, select");

/** Connects the keys. `actions` are the functions of "edit", "new", "search", "write" and "escape". */
export function initialize(actions) {
  const all = { ...actions, list: show };
  byId("shortcuts-open").addEventListener("click", show);
  document.addEventListener("keydown", event => {
    if (event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
    if (event.key === "Escape") return all.escape();
    const found = table.find(shortcut => shortcut.isSingle
      ? event.key === shortcut.keys()[0] && preference("keys") === "on" && !isField(event.target) && !isControl(event) && !event.altKey
      : shortcut.matches?.(event));
    if (!found) return;
    event.preventDefault();
    all[found.name]();
  });
  onPreferences(() => {
    byId("prompt-hint").replaceChildren(...keysOf("send"), " sends, ", ...keysOf("line"), " starts a new line, ", ...keysOf("list"), " shows all keys");
    draw();
  });
}

function show() {
  byId("shortcuts").showModal();
}

function draw() {
  byId("shortcut-list").replaceChildren(...table.filter(shortcut => !shortcut.isSingle || preference("keys") === "on").map(({ name, text }) =>
    element("div", {}, element("dt", {}, text), element("dd", {}, ...keysOf(name)))));
}

const keysOf = name => table.find(shortcut => shortcut.name === name).keys()
  .flatMap((key, index) => [...index > 0 ? ["+"] : [], element("kbd", {}, key)]);
