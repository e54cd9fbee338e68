import * as api from "./api.js";
import { Chat } from "./chat.js";
import { announce, byId, element } from "./dom.js";
import { ExpertMap } from "./experts.js";
import { count, duration, speed } from "./format.js";
import { showMemory } from "./memory.js";
import { showPlacement } from "./placement.js";
import * as settings from "./settings.js";

const modelName = "moeoffload.model";
const panelName = "moeoffload.panel";
const narrow = matchMedia("(max-width: 60rem)");

const choice = byId("model");
const map = new ExpertMap();
const chat = new Chat({ model: () => choice.value, onBegin: beginAnswer, onEnd: endAnswer });

let status = null;
let shownPlacement = null;
let countsBefore = null;
let isLoading = false;
let timer = null;
let reading = null;

settings.initialize();
initializePanel();
choice.addEventListener("change", () => {
  localStorage.setItem(modelName, choice.value);
  announce(`The model is now ${choice.value}.`);
  showModel();
});
byId("load").addEventListener("click", load);
byId("unload").addEventListener("click", unload);
byId("span").addEventListener("change", showExperts);
document.addEventListener("visibilitychange", poll);
await fillModels();

async function fillModels() {
  try {
    const models = await api.listModels();
    choice.replaceChildren(...models.map(model => element("option", { value: model.name }, model.name)));
    const kept = localStorage.getItem(modelName);
    const first = models.find(model => model.name === kept) ?? models.find(model => model.loaded) ?? models[0];
    if (first) choice.value = first.name;
    else return showState("failed", "The server has no models: start it with one, or with --model-dirs.");
  } catch (error) {
    return showState("failed", `The models cannot be listed: ${error.message}`);
  }
  showModel();
}

function showModel() {
  status = null;
  shownPlacement = null;
  countsBefore = null;
  byId("welcome-model").textContent = choice.value;
  chat.suggest(choice.value);
  showContext();
  for (const id of ["ttft", "speed", "prompt", "answer"]) byId(`figure-${id}`).textContent = "–";
  poll();
}

// Requests one status at a time, and the next one sooner while the model is loading or generating.
async function poll() {
  clearTimeout(timer);
  reading?.abort();
  if (document.hidden || !choice.value) return;
  const own = reading = new AbortController();
  try {
    const answer = await api.readStatus(choice.value, own.signal);
    if (own.signal.aborted) return;
    status = answer;
    showStatus();
  } catch (error) {
    if (own.signal.aborted) return;
    showState("failed", error.message);
  }
  const isBusy = isLoading || status?.status === "loading";
  timer = setTimeout(poll, isBusy ? 250 : chat.isRunning ? 700 : 5000);
}

function showStatus() {
  const isLoaded = status.status === "loaded";
  const progress = status.status === "loading" ? status.progress : null;
  showState(status.status, {
    loaded: "loaded",
    loading: `loading, ${Math.round((progress ?? 0) * 100)} %`,
    unloaded: "not loaded: the first message loads it",
    failed: status.error ?? "could not be loaded",
  }[status.status] ?? status.status);
  byId("progress").hidden = progress === null;
  byId("progress").value = progress ?? 0;
  byId("load").hidden = isLoaded || progress !== null || isLoading;
  byId("unload").hidden = !isLoaded;
  chat.showLoading(progress);
  if (isLoaded) {
    showMemory(byId("memory"), status.devices);
    const placement = JSON.stringify(status.placement);
    if (placement !== shownPlacement) showPlacement(byId("placement"), status.placement);
    shownPlacement = placement;
  } else {
    shownPlacement = null;
    for (const id of ["memory", "placement"]) byId(id).replaceChildren(element("p", { className: "empty" }, "Shown when the model is loaded."));
  }
  showExperts();
  showContext();
}

// The length is known while the model is loaded.
function showContext() {
  const length = status?.session?.sequence_length;
  const used = chat.usedTokens;
  byId("context").hidden = !length || used === null;
  if (byId("context").hidden) return;
  const meter = byId("context-meter");
  Object.assign(meter, { max: length, optimum: 0, low: length * 0.75, high: length * 0.9, value: Math.min(used, length) });
  byId("context-text").textContent = `${count(used)} of ${count(length)} tokens`;
}

function showState(state, text) {
  byId("state").dataset.state = state;
  byId("state").textContent = text;
}

function showExperts() {
  const experts = status?.experts;
  byId("span").hidden = !experts;
  if (!experts) {
    map.showNone(status?.status !== "loaded" ? "Shown when the model is loaded."
      : status.info?.experts === 0 ? "A dense model, without experts."
        : "The server does not count the selected experts.");
    return;
  }
  if (experts.layers.length === 0) return map.showNone("The model has no layer with experts.");
  const since = document.querySelector("input[name=span]:checked").value === "last" ? countsBefore : null;
  map.show(experts.layers.map(layer => minus(layer, since?.layers.find(before => before.layer === layer.layer))), experts.count, experts.used);
}

function minus(layer, before) {
  return {
    layer: layer.layer,
    tokens: layer.tokens - (before?.tokens ?? 0),
    counts: layer.counts.map((value, expert) => Math.max(0, value - (before?.counts[expert] ?? 0))),
  };
}

async function beginAnswer() {
  try {
    status = await api.readStatus(choice.value);
    countsBefore = status.experts ?? { layers: [] };
  } catch {
    countsBefore = null; // The request itself will say what is wrong.
  }
  poll();
}

function endAnswer(figures) {
  if (figures) {
    showFigure("ttft", figures.firstToken === null ? "–" : duration(figures.firstToken));
    showFigure("speed", figures.speed === null ? "–" : speed(figures.speed), "tokens/s");
    showFigure("prompt", count(figures.promptTokens), "tokens");
    showFigure("answer", count(figures.answerTokens), "tokens");
  }
  showContext();
  poll();
}

function showFigure(id, text, unit) {
  byId(`figure-${id}`).replaceChildren(text, ...(unit && text !== "–" ? [" ", element("small", {}, unit)] : []));
}

async function load() {
  isLoading = true;
  byId("load").hidden = true;
  poll();
  try {
    await api.loadModel(choice.value);
    announce("The model is loaded.");
  } catch (error) {
    showState("failed", error.message);
    announce(error.message);
    isLoading = false;
    return;
  }
  isLoading = false;
  poll();
}

async function unload() {
  try {
    await api.unloadModel(choice.value);
    announce("The model was unloaded.");
  } catch (error) {
    announce(error.message);
  }
  poll();
}

// Wide windows show the details next to the chat unless they are closed. Narrow windows show them over the chat on request.
function initializePanel() {
  const toggle = byId("panel-toggle");
  const set = isOpen => {
    byId("panel").hidden = !isOpen;
    toggle.setAttribute("aria-expanded", `${isOpen}`);
    document.querySelector("main").classList.toggle("without-panel", !isOpen);
  };
  const initial = () => set(!narrow.matches && localStorage.getItem(panelName) !== "closed");
  toggle.addEventListener("click", () => {
    const isOpen = byId("panel").hidden;
    set(isOpen);
    if (!narrow.matches) localStorage.setItem(panelName, isOpen ? "open" : "closed");
  });
  narrow.addEventListener("change", initial);
  initial();
}
