// What the user prefers on this page, in this browser.

import { byId } from "./dom.js";
import { local } from "./kept.js";

const prefix = "moeoffload.";
const defaults = { theme: "system", send: "enter", keys: "on" };
const form = byId("preferences-form");
const listeners = new Set();

/** Returns a preference: `theme`, `send` ("enter" or "ctrl"), or `keys` ("on" or "off", for shortcuts of a single key). */
export const preference = name => local.getItem(prefix + name) ?? defaults[name];

/** Calls a function now and after each change. */
export function onPreferences(listener) {
  listeners.add(listener);
  listener();
}

/** Connects the form, and the button that opens it. */
export function initialize() {
  for (const name of Object.keys(defaults)) form.elements[name].value = preference(name);
  form.addEventListener("input", event => {
    local.setItem(prefix + event.target.name, event.target.value);
    apply();
  });
  byId("preferences-open").addEventListener("click", () => byId("preferences").showModal());
  // Another tab has changed them.
  addEventListener("storage", event => {
    const name = event.key?.startsWith(prefix) ? event.key.slice(prefix.length) : "";
    if (!Object.hasOwn(defaults, name)) return;
    form.elements[name].value = preference(name);
    apply();
  });
  apply();
}

function apply() {
  document.documentElement.dataset.theme = preference("theme");
  document.dispatchEvent(new Event("themechange"));
  for (const listener of listeners) listener();
}
