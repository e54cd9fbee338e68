// The sampling options, which are those of all conversations in this browser, and the system message, which each conversation has itself.

import { byId } from "./dom.js";

const storeName = "moeoffload.sampling";
const defaults = { temperature: 0.8, top_p: 0.95, top_k: 40, min_p: 0.05, repeat_penalty: 1, num_predict: "", seed: "", think: true };

const form = byId("settings");
const systemField = byId("system");
let shown;

/** Fills the form with the stored options. */
export function initialize() {
  write({ ...defaults, ...stored() });
  form.addEventListener("input", () => {
    localStorage.setItem(storeName, JSON.stringify(read()));
    summarize();
  });
  form.addEventListener("reset", event => {
    event.preventDefault();
    localStorage.removeItem(storeName);
    write(defaults);
  });
  form.addEventListener("submit", event => event.preventDefault());
}

/** Returns the options of a request, or null if a field is not valid, which is then highlighted. */
export function sampling() {
  if (!form.checkValidity()) {
    byId("sampling").open = true;
    form.reportValidity();
    return null;
  }
  const { think, ...numbers } = read();
  const options = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== ""));
  return { think, options, tools: [] };
}

/** Returns the system message for a new conversation. */
export const system = () => systemField.value.trim();

/** Calls a function when the system message of the conversation that is shown has changed. */
export const onSystem = listener => systemField.addEventListener("change", () => listener(system()));

/** Shows the system message of a conversation, or none for a new one. */
export function showSystem(conversation) {
  if (conversation?.id === shown && document.activeElement === systemField) return;
  if (!conversation && shown === null) return; // What was written for the new conversation stays.
  shown = conversation?.id ?? null;
  systemField.value = conversation?.system ?? "";
}

function read() {
  return Object.fromEntries(Object.keys(defaults).map(name => {
    const field = form.elements[name];
    return [name, field.type === "checkbox" ? field.checked : field.type === "number" && field.value !== "" ? Number(field.value) : field.value];
  }));
}

function write(values) {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (!field) continue;
    if (field.type === "checkbox") field.checked = value;
    else field.value = value;
  }
  summarize();
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(storeName)) ?? {};
  } catch {
    return {};
  }
}

function summarize() {
  const { temperature, top_p, top_k } = read();
  byId("sampling-summary").textContent = `temperature ${temperature}, top-p ${top_p}, top-k ${top_k}`;
}
