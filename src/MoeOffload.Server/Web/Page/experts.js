// Shows how often the router of each layer selected each expert: a row for each layer, and a column for each expert.

import { byId, dataTable, element, replace } from "./dom.js";
import { count, percent, times } from "./format.js";

const hint = "Point at a cell, or move through the map with the arrow keys.";

/** The heat map of a model. */
export class ExpertMap {
  #parent = byId("experts");
  #canvas = element("canvas", { className: "heat", tabIndex: 0, role: "application", "aria-roledescription": "heat map", "aria-describedby": "expert-readout" });
  #scale = element("canvas", { "aria-hidden": "true" });
  #readout = element("output", { id: "expert-readout", className: "readout" }, hint);
  #note = element("p", { className: "note" });
  #rows = element("div", { className: "heat-rows", "aria-hidden": "true" });
  #lastColumn = element("span");
  #most = element("span");
  #table = element("div");
  #layers = [];
  #experts = 0;
  #cursor = null;
  #peak = 2;

  constructor() {
    this.#canvas.addEventListener("pointermove", event => this.#point(event));
    this.#canvas.addEventListener("pointerdown", event => this.#point(event));
    this.#canvas.addEventListener("pointerleave", () => this.#select(null));
    this.#canvas.addEventListener("keydown", event => this.#move(event));
    this.#canvas.addEventListener("blur", () => this.#select(null));
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    document.addEventListener("themechange", () => this.#draw());
  }

  /** Shows the counts of each layer: its number, its tokens, and how often each expert was selected. */
  show(layers, experts, used) {
    this.#layers = layers;
    this.#experts = experts;
    const shares = layers.map(layer => {
      const choices = Math.max(1, layer.counts.reduce((sum, value) => sum + value, 0));
      return layer.counts.map(value => value * experts / choices);
    });
    layers.forEach((layer, index) => { layer.ratios = shares[index]; });
    this.#peak = Math.max(2, ...shares.map(row => Math.max(...row)));
    const tokens = Math.max(0, ...layers.map(layer => layer.tokens));
    this.#canvas.setAttribute("aria-label",
      `How often each of ${experts} experts was selected in ${layers.length} layers, ${used} for each of ${count(tokens)} tokens. Arrow keys move.`);
    this.#note.textContent = tokens > 0
      ? `${count(tokens)} tokens, ${used} of ${experts} experts for each`
      : "Nothing has been counted yet. Ask the model something.";
    this.#rows.replaceChildren(...[...new Set([layers[0].layer, layers.at(-1).layer])].map(layer => element("span", {}, `layer ${layer}`)));
    this.#lastColumn.textContent = `${experts - 1}`;
    this.#most.textContent = `${times(this.#peak)} an even share`;
    replace(this.#table, dataTable("As a table", [">Layer", ">Tokens", ">Unused", ">Busiest", ">Share"], layers.map(busiestOf)));
    this.#attach();
    this.#draw();
    this.#describe();
  }

  /** Shows why there is no map. */
  showNone(reason) {
    this.#layers = [];
    this.#parent.replaceChildren(element("p", { className: "empty" }, reason));
  }

  // This happens only once, because an element that is removed from the page loses the focus.
  #attach() {
    if (this.#canvas.isConnected) return;
    this.#parent.replaceChildren(
      this.#note,
      element("div", { className: "heat-frame" }, this.#rows, this.#canvas,
        element("div", { className: "heat-columns", "aria-hidden": "true" }, element("span", {}, "expert 0"), this.#lastColumn)),
      element("div", { className: "scale" }, element("span", {}, "never"), this.#scale, this.#most),
      this.#readout,
      this.#table);
  }

  #draw() {
    if (!this.#canvas.isConnected || this.#layers.length === 0) return;
    const ramp = colors();
    const ratio = devicePixelRatio || 1;
    const rowHeight = Math.max(4, Math.min(18, Math.floor(300 / this.#layers.length)));
    const width = Math.max(1, Math.round(this.#canvas.clientWidth * ratio));
    const height = Math.round(rowHeight * this.#layers.length * ratio);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#canvas.style.height = `${height / ratio}px`;
    }
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const gap = width / this.#experts > 6 * ratio ? ratio : 0;
    const at = (index, all, size) => Math.round(index * size / all);
    this.#layers.forEach((layer, row) => layer.ratios.forEach((value, expert) => {
      const x = at(expert, this.#experts, width);
      const y = at(row, this.#layers.length, height);
      context.fillStyle = ramp(value / this.#peak);
      context.fillRect(x, y, at(expert + 1, this.#experts, width) - x - gap, at(row + 1, this.#layers.length, height) - y - gap);
    }));
    if (this.#cursor) this.#frame(context, width / this.#experts, height / this.#layers.length, ratio);
    drawScale(this.#scale, ramp);
  }

  #frame(context, cellWidth, cellHeight, ratio) {
    context.lineWidth = 2 * ratio;
    context.strokeStyle = getComputedStyle(this.#canvas).outlineColor;
    context.strokeRect(this.#cursor.expert * cellWidth + ratio, this.#cursor.row * cellHeight + ratio, cellWidth - 2 * ratio, cellHeight - 2 * ratio);
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const part = (value, size, all) => Math.max(0, Math.min(all - 1, Math.floor(value / size * all)));
    this.#select({
      row: part(event.clientY - box.top, box.height, this.#layers.length),
      expert: part(event.clientX - box.left, box.width, this.#experts),
    });
  }

  #move(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -this.#experts], End: [0, this.#experts] };
    const step = steps[event.key];
    if (!step || this.#layers.length === 0) return;
    event.preventDefault();
    const { row, expert } = this.#cursor ?? { row: step[0] ? -step[0] : 0, expert: step[1] ? -step[1] : 0 };
    this.#select({
      row: Math.max(0, Math.min(this.#layers.length - 1, row + step[0])),
      expert: Math.max(0, Math.min(this.#experts - 1, expert + step[1])),
    });
  }

  #select(cursor) {
    if (cursor?.row === this.#cursor?.row && cursor?.expert === this.#cursor?.expert) return;
    this.#cursor = cursor;
    this.#draw();
    this.#describe();
  }

  #describe() {
    const layer = this.#cursor && this.#layers[this.#cursor.row];
    if (!layer || this.#cursor.expert >= this.#experts) {
      this.#cursor = null;
      this.#readout.textContent = hint;
      return;
    }
    const ratio = layer.ratios[this.#cursor.expert];
    this.#readout.textContent = `Layer ${layer.layer}, expert ${this.#cursor.expert}: selected ${count(layer.counts[this.#cursor.expert])} times, `
      + `${percent(ratio / this.#experts)}, ${times(ratio)} an even share`;
  }
}

function busiestOf(layer) {
  const busiest = layer.counts.indexOf(Math.max(...layer.counts));
  return [
    `${layer.layer}`, count(layer.tokens), `${layer.counts.filter(value => value === 0).length}`, `${busiest}`,
    percent(layer.ratios[busiest] / layer.counts.length),
  ];
}

// Returns the color of the style sheet for a value from 0 to 1. Only a property of an element has the color of the theme that is shown.
function colors() {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  const stops = [0, 1, 2, 3, 4].map(index => {
    probe.style.color = `var(--heat-${index})`;
    return getComputedStyle(probe).color.match(/\d+/g).slice(0, 3).map(Number);
  });
  probe.remove();
  return value => {
    const position = Math.max(0, Math.min(1, value)) * (stops.length - 1);
    const index = Math.min(stops.length - 2, Math.floor(position));
    const mixed = stops[index].map((from, channel) => Math.round(from + (stops[index + 1][channel] - from) * (position - index)));
    return `rgb(${mixed.join(" ")})`;
  };
}

function drawScale(canvas, ramp) {
  canvas.width = 64;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  for (let x = 0; x < 64; x++) {
    context.fillStyle = ramp(x / 63);
    context.fillRect(x, 0, 1, 1);
  }
}
