// Shows experts that stay in the model's file: how many are in memory, and what reading the others costs, as it happens.

import { dataTable, element, replace, svg } from "./dom.js";
import { bytes, count, duration, percent } from "./format.js";

// The number of readings in the drawing.
const most = 60;

/** The tiers of a model's experts. */
export class Tiers {
  #parent;
  #model = null;
  #last = null;
  #shares = [];

  constructor(parent) {
    this.#parent = parent;
  }

  /** Shows a reading, or hides everything if there is none because all experts are loaded. */
  show(model, storage) {
    const section = this.#parent.closest("section");
    section.hidden = !storage;
    if (!storage) return;
    if (model !== this.#model) [this.#model, this.#last, this.#shares] = [model, null, []];
    const now = totalsOf(storage);
    const since = this.#last ? minus(now, this.#last) : now;
    if (since.hits + since.misses > 0) this.#shares = [...this.#shares, since.hits / (since.hits + since.misses)].slice(-most);
    if (!this.#last || since.hits + since.misses > 0) this.#last = now;
    replace(this.#parent,
      bar(storage),
      element("p", { className: "note" }, `${bytes(storage.resident_bytes)} of ${bytes(storage.total_bytes)} of experts are in memory, at most ${bytes(storage.limit_bytes)}. The others are read from the file when they are used; a hit is a use of one in memory.`),
      element("dl", { className: "figures" },
        figure("Hit rate", now.hits + now.misses > 0 ? percent(now.hits / (now.hits + now.misses)) : "–"),
        figure("Hit rate now", this.#shares.length > 0 ? percent(this.#shares.at(-1)) : "–"),
        figure("Read", bytes(now.read)),
        figure("Waited", duration(now.wait * 1000))),
      this.#drawing(),
      dataTable("As a table", [">Layer", ">Hits", ">Misses", ">Read", ">Waited"], storage.layers.map(layer => [
        `${layer.layer}`, count(layer.hits), count(layer.misses), bytes(layer.bytes_read), duration(layer.wait_seconds * 1000),
      ])));
  }

  #drawing() {
    const points = this.#shares.map((share, index) => `${(100 * index / Math.max(1, this.#shares.length - 1)).toFixed(1)},${(29 - 28 * share).toFixed(1)}`);
    return svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": `The hit rate in the last ${this.#shares.length} readings.` },
      ...(points.length > 1 ? [svg("polyline", { points: points.join(" ") })] : []));
  }
}

function bar(storage) {
  const width = value => 100 * value / Math.max(1, storage.total_bytes);
  return svg("svg", { class: "memory-bar", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 0, width: width(storage.resident_bytes), height: 12, fill: "var(--weights)" }),
    svg("rect", { class: "plan-mark", x: Math.min(99, width(storage.limit_bytes) - .5), y: 0, width: 1, height: 12 }));
}

const figure = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));

function totalsOf(storage) {
  const sum = key => storage.layers.reduce((total, layer) => total + layer[key], 0);
  return { hits: sum("hits"), misses: sum("misses"), read: sum("bytes_read"), wait: sum("wait_seconds") };
}

const minus = (now, before) => Object.fromEntries(Object.keys(now).map(key => [key, Math.max(0, now[key] - before[key])]));
