// Presets of the sampling options: those of the page, and those that the user has saved in this browser.

import { announce, byId, element } from "./dom.js";
import { local } from "./kept.js";

const storeName = "moeoffload.presets";
const own = "own:";

/** The options that a preset sets, with the values of the preset that is used at first. */
export const balanced = { temperature: 0.8, top_p: 0.95, top_k: 40, min_p: 0.05, repeat_penalty: 1 };

const fixed = {
  precise: ["Precise", { temperature: 0.2, top_p: 0.9, top_k: 20, min_p: 0.1, repeat_penalty: 1 }],
  balanced: ["Balanced", balanced],
  creative: ["Creative", { temperature: 1.2, top_p: 0.98, top_k: 100, min_p: 0.03, repeat_penalty: 1.05 }],
};

const choice = byId("preset");
const nameForm = byId("preset-form");
const name = byId("preset-name");

/** Connects the choice of presets. `read` returns the options, `write` sets them, and `onSaved` is called when the presets have changed. */
export function initialize(read, write, onSaved) {
  draw();
  choice.addEventListener("change", () => {
    const values = valuesOf(choice.value);
    if (values) write(values);
  });
  byId("preset-save").addEventListener("click", () => {
    nameForm.hidden = false;
    name.focus();
  });
  byId("preset-cancel").addEventListener("click", close);
  byId("preset-delete").addEventListener("click", () => {
    announce(`The preset ${choice.value.slice(own.length)} is deleted.`);
    keep(saved().filter(preset => own + preset.name !== choice.value));
    onSaved();
  });
  nameForm.addEventListener("submit", event => {
    event.preventDefault();
    const title = name.value.trim();
    if (!title) return;
    keep([...saved().filter(preset => preset.name !== title), { name: title, values: pick(read()) }]);
    onSaved();
    announce(`The preset ${title} is saved.`);
    close();
  });
}

/** Shows which preset the options are, and returns its title. */
export function show(options) {
  const isSame = values => Object.keys(balanced).every(key => values[key] === options[key]);
  const found = [...choice.options].find(option => valuesOf(option.value) && isSame(valuesOf(option.value)));
  choice.value = found?.value ?? "custom";
  byId("preset-delete").hidden = !choice.value.startsWith(own);
  return choice.selectedOptions[0].textContent;
}

function draw() {
  const option = (value, text) => element("option", { value }, text);
  choice.replaceChildren(
    ...Object.entries(fixed).map(([value, [title]]) => option(value, title)),
    ...saved().map(preset => option(own + preset.name, preset.name)),
    option("custom", "Custom"));
}

function close() {
  nameForm.hidden = true;
  name.value = "";
  byId("preset-save").focus();
}

function keep(presets) {
  local.setItem(storeName, JSON.stringify(presets));
  draw();
}

function saved() {
  try {
    const presets = JSON.parse(local.getItem(storeName)) ?? [];
    return presets.filter(preset => typeof preset.name === "string" && Object.values(pick(preset.values)).every(Number.isFinite));
  } catch {
    return [];
  }
}

const valuesOf = value => fixed[value]?.[1] ?? saved().find(preset => own + preset.name === value)?.values;
const pick = values => Object.fromEntries(Object.keys(balanced).map(key => [key, values?.[key]]));
