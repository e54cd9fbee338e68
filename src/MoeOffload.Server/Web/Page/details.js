// The details beside the chat: speed, memory, placement and experts of the model.

import { byId, element } from "./dom.js";
import { ExpertMap } from "./experts.js";
import { count, duration, speed } from "./format.js";
import { showMemory } from "./memory.js";
import { showPlacement } from "./placement.js";
import { Tiers } from "./tiers.js";

const none = () => element("p", { className: "empty" }, "Shown when the model is loaded.");

/** The details. */
export class Details {
  #map = new ExpertMap();
  #tiers = new Tiers(byId("tiers"));
  #status = null;
  #shownPlacement = null;
  #countsBefore = null;

  constructor() {
    byId("span").addEventListener("change", () => this.#showExperts());
  }

  /** Shows the status of a model. `used` is the number of tokens in the context. */
  show(status, used) {
    this.#status = status;
    if (status.status === "loaded") {
      showMemory(byId("memory"), status.devices, status.plan);
      const placement = JSON.stringify(status.placement);
      if (placement !== this.#shownPlacement) showPlacement(byId("placement"), status.placement);
      this.#shownPlacement = placement;
    } else {
      this.#shownPlacement = null;
      for (const id of ["memory", "placement"]) byId(id).replaceChildren(none());
    }
    this.#tiers.show(status.model, status.expert_storage);
    this.#showExperts();
    this.showContext(status, used);
  }

  /** Shows nothing, because another model was chosen. */
  clear(used) {
    this.#status = null;
    this.#shownPlacement = null;
    this.#countsBefore = null;
    for (const id of ["ttft", "speed", "prompt", "answer"]) byId(`figure-${id}`).textContent = "–";
    this.showContext(null, used);
  }

  /** Remembers what was counted before an answer. `read` reads the status. */
  async begin(read) {
    try {
      this.#status = await read();
      this.#countsBefore = this.#status.experts ?? { layers: [] };
    } catch {
      this.#countsBefore = null; // The request itself will say what is wrong.
    }
  }

  /** Shows the figures of an answer. */
  end(figures) {
    if (!figures) return;
    showFigure("ttft", figures.firstToken === null ? "–" : duration(figures.firstToken));
    showFigure("speed", figures.speed === null ? "–" : speed(figures.speed), "tokens/s");
    showFigure("prompt", count(figures.promptTokens), "tokens");
    showFigure("answer", count(figures.answerTokens), "tokens");
  }

  /** Shows how full the context is. Its length is known while the model is loaded. */
  showContext(status, used) {
    const length = status?.session?.sequence_length;
    byId("context").hidden = !length || used === null;
    if (byId("context").hidden) return;
    Object.assign(byId("context-meter"), { max: length, optimum: 0, low: length * 0.75, high: length * 0.9, value: Math.min(used, length) });
    byId("context-text").textContent = `${count(used)} of ${count(length)} tokens`;
  }

  #showExperts() {
    const experts = this.#status?.experts;
    byId("span").hidden = !experts;
    if (!experts) {
      this.#map.showNone(this.#status?.status !== "loaded" ? "Shown when the model is loaded."
        : this.#status.info?.experts === 0 ? "A dense model, without experts."
          : "The server does not count the selected experts.");
      return;
    }
    if (experts.layers.length === 0) return this.#map.showNone("The model has no layer with experts.");
    const since = document.querySelector("input[name=span]:checked").value === "last" ? this.#countsBefore : null;
    this.#map.show(experts.layers.map(layer => minus(layer, since?.layers.find(before => before.layer === layer.layer))), experts.count, experts.used);
  }
}

function minus(layer, before) {
  return {
    layer: layer.layer,
    tokens: layer.tokens - (before?.tokens ?? 0),
    counts: layer.counts.map((value, expert) => Math.max(0, value - (before?.counts[expert] ?? 0))),
  };
}

function showFigure(id, text, unit) {
  byId(`figure-${id}`).replaceChildren(text, ...(unit && text !== "–" ? [" ", element("small", {}, unit)] : []));
}
