// The choice of a model, its state, and the connection to the server.

import * as api from "./api.js";
import { announce, byId, element } from "./dom.js";
import { isLost, serverLost } from "./errors.js";
import { local } from "./kept.js";

const modelName = "moeoffload.model";
const choice = byId("model");

// Pauses between two readings of the status, in milliseconds.
const pauses = { loading: 250, busy: 700, idle: 5000, lost: 2000 };

/** The models of the server. `onStatus` is called with each status, and `onChoice` when another model is chosen. */
export class Models {
  #status = null;
  #isLoading = false;
  #isLost = false;
  #timer = null;
  #reading = null;

  constructor({ isBusy, onStatus, onChoice }) {
    Object.assign(this, { isBusy, onStatus, onChoice });
    choice.addEventListener("change", () => {
      local.setItem(modelName, choice.value);
      announce(`The model is now ${choice.value}.`);
      this.#choose();
    });
    byId("load").addEventListener("click", () => this.#load());
    byId("unload").addEventListener("click", () => this.#unload());
    document.addEventListener("visibilitychange", () => this.poll());
    addEventListener("online", () => this.poll());
  }

  /** The name of the chosen model. */
  get name() {
    return choice.value;
  }

  /** The last status of the model, or null. */
  get status() {
    return this.#status;
  }

  /** Lists the models. */
  async fill() {
    clearTimeout(this.#timer);
    try {
      const models = await api.listModels();
      this.#setLost(false);
      choice.replaceChildren(...models.map(model => element("option", { value: model.name }, model.name)));
      const kept = local.getItem(modelName);
      const first = models.find(model => model.name === kept) ?? models.find(model => model.loaded) ?? models[0];
      if (!first) return this.#showState("failed", "The server has no models: start it with one, or with --model-dirs.");
      choice.value = first.name;
    } catch (error) {
      if (!this.#notice(error)) return this.#showState("failed", `The models cannot be listed: ${error.message}`);
      this.#timer = setTimeout(() => this.fill(), pauses.lost);
      return;
    }
    this.#choose();
  }

  /** Reads the status now, and returns it. */
  async read() {
    this.#status = await api.readStatus(choice.value);
    return this.#status;
  }

  /** Requests one status at a time, and the next one sooner while the model is loading or generating. */
  async poll() {
    if (document.hidden || !choice.value) return;
    clearTimeout(this.#timer);
    this.#reading?.abort();
    const own = this.#reading = new AbortController();
    try {
      const answer = await api.readStatus(choice.value, own.signal);
      if (own.signal.aborted) return;
      this.#setLost(false);
      this.#status = answer;
      this.#show();
    } catch (error) {
      if (own.signal.aborted) return;
      if (!this.#notice(error)) this.#showState("failed", error.message);
    }
    const isLoading = this.#isLoading || this.#status?.status === "loading";
    const pause = this.#isLost ? pauses.lost : isLoading ? pauses.loading : this.isBusy() ? pauses.busy : pauses.idle;
    this.#timer = setTimeout(() => this.poll(), pause);
  }

  #choose() {
    this.#status = null;
    this.onChoice();
    this.poll();
  }

  #show() {
    const { status, error } = this.#status;
    const progress = status === "loading" ? this.#status.progress ?? 0 : null;
    this.#showState(status, {
      loaded: "loaded",
      loading: `loading, ${Math.round((progress ?? 0) * 100)} %`,
      unloaded: "not loaded: the first message loads it",
      failed: error ?? "could not be loaded",
    }[status] ?? status);
    byId("progress").hidden = progress === null;
    byId("progress").value = progress ?? 0;
    byId("load").hidden = status === "loaded" || progress !== null || this.#isLoading;
    byId("unload").hidden = status !== "loaded";
    this.onStatus(this.#status, progress);
  }

  #showState(state, text) {
    byId("state").dataset.state = state;
    byId("state").textContent = text;
    byId("state").title = text;
  }

  // Returns whether the error means that the server cannot be reached.
  #notice(error) {
    if (isLost(error)) this.#setLost(true);
    return isLost(error);
  }

  #setLost(isLost) {
    if (isLost === this.#isLost) return;
    this.#isLost = isLost;
    byId("lost").hidden = !isLost;
    byId("lost").textContent = isLost ? serverLost : "";
    announce(isLost ? serverLost : "The server is back.");
    if (isLost) this.#showState("failed", "not connected");
  }

  async #load() {
    this.#isLoading = true;
    byId("load").hidden = true;
    this.poll();
    try {
      await api.loadModel(choice.value);
      announce("The model is loaded.");
    } catch (error) {
      if (!this.#notice(error)) this.#showState("failed", error.message);
      announce(error.message);
    } finally {
      this.#isLoading = false;
    }
    this.poll();
  }

  async #unload() {
    try {
      await api.unloadModel(choice.value);
      announce("The model was unloaded.");
    } catch (error) {
      if (!this.#notice(error)) announce(error.message);
    }
    this.poll();
  }
}
