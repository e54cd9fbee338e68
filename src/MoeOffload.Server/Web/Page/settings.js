// The sampling options of the user, which are stored in the browser.

import { byId } from "./dom.js";

const storeName = "moeoffload.sampling";
const defaults = { temperature: 0.8, top_p: 0.95, top_k: 40, min_p: 0.05, repeat_penalty: 1, num_predict: "", seed: "", system: "", think: true };

const form = byId("settings");

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
  const { system, think, ...numbers } = read();
  const options = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== ""));
  return { system, think, options };
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
