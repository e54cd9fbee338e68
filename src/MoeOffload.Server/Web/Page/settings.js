// The sampling options, which are those of all conversations in this browser, and the system message, which each conversation has itself.

import { byId } from "./dom.js";
import { local } from "./kept.js";
import * as presets from "./presets.js";

const storeName = "moeoffload.sampling";
const toolsName = "moeoffload.tools";
const defaults = { ...presets.balanced, num_predict: "", seed: "", think: true };

const form = byId("settings");
const systemField = byId("system");
const toolsField = byId("tools");
let shown;

/** Fills the form with the stored options. */
export function initialize() {
  presets.initialize(read, values => {
    write(values);
    keep();
  }, summarize);
  write({ ...defaults, ...stored() });
  form.addEventListener("input", event => { if (event.target.id !== "preset") keep(); });
  form.addEventListener("reset", event => {
    event.preventDefault();
    local.removeItem(storeName);
    write(defaults);
  });
  form.addEventListener("submit", event => event.preventDefault());
  toolsField.value = local.getItem(toolsName) ?? "";
  toolsField.addEventListener("input", () => {
    local.setItem(toolsName, toolsField.value);
    checkTools();
  });
  checkTools();
}

/** Returns the options of a request, or null if a field is not valid, which is then highlighted. */
export function sampling() {
  for (const field of [form, toolsField]) {
    if (field.checkValidity()) continue;
    field.closest("details").open = true;
    if (byId("panel").hidden) byId("panel-toggle").click();
    field.reportValidity();
    return null;
  }
  const { think, ...numbers } = read();
  const options = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== ""));
  return { think, options, tools: readTools() };
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
    return JSON.parse(local.getItem(storeName)) ?? {};
  } catch {
    return {};
  }
}

function keep() {
  local.setItem(storeName, JSON.stringify(read()));
  summarize();
}

function summarize() {
  const options = read();
  byId("sampling-summary").textContent = `${presets.show(options)}, temperature ${options.temperature}`;
}

function checkTools() {
  let problem = "";
  try {
    const tools = readTools();
    byId("tools-summary").textContent = tools.length === 0 ? "none" : tools.map(tool => tool.function.name).join(", ");
  } catch (error) {
    byId("tools-summary").textContent = "not valid";
    problem = error.message;
  }
  toolsField.setCustomValidity(problem);
  byId("tools-problem").textContent = problem;
  byId("tools-problem").hidden = problem === "";
}

// Tools can be written as in OpenAI's API, or as only their functions.
function readTools() {
  if (!toolsField.value.trim()) return [];
  let given;
  try {
    given = JSON.parse(toolsField.value);
  } catch (error) {
    throw new Error(`The tools are not valid JSON: ${error.message}`);
  }
  return [given].flat().map(tool => {
    const definition = tool?.function ?? tool;
    if (typeof definition?.name !== "string" || !definition.name) throw new Error("A tool has no name. Write, for example: [{\"name\": \"get_weather\", \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}}}]");
    return { type: "function", function: definition };
  });
}
