// Shows the memory that the model uses on each device.

import { element, replace, svg } from "./dom.js";
import { bytes } from "./format.js";

const parts = [
  { key: "weight_bytes", label: "Weights", color: "var(--weights)" },
  { key: "context_bytes", label: "KV cache", color: "var(--context)" },
  { key: "compute_bytes", label: "Compute", color: "var(--compute)" },
];

const heldBy = device => parts.reduce((sum, part) => sum + device[part.key], 0);

/** Draws the devices of a model's status. */
export function showMemory(parent, devices) {
  const used = devices.filter(device => heldBy(device) > 0);
  const largest = Math.max(1, ...used.map(heldBy));
  replace(parent,
    element("ul", { className: "legend" }, ...parts.map(part => element("li", {}, swatch(part.color), part.label))),
    ...used.map(device => deviceRow(device, largest)));
}

function deviceRow(device, largest) {
  const held = heldBy(device);
  const text = parts.filter(part => device[part.key] > 0).map(part => `${part.label} ${bytes(device[part.key])}`).join(", ");
  const free = device.total_bytes > 0 ? ` ${bytes(device.free_bytes)} of ${bytes(device.total_bytes)} are free.` : "";
  let x = 0;
  const bar = svg("svg", { class: "memory-bar", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...parts.map(part => {
      const width = 100 * device[part.key] / largest;
      x += width;
      return svg("rect", { x: x - width, y: 0, width, height: 12, fill: part.color });
    }));
  return element("div", { className: "device" },
    element("div", { className: "device-head" }, element("span", {}, nameOf(device)), element("span", {}, bytes(held))),
    bar,
    element("p", { className: "note" }, `${text}.${free}`));
}

const nameOf = device => device.name === "Host" ? "System memory" : device.description ? `${device.name} · ${device.description}` : device.name;

/** Creates a colored square for a legend. */
export const swatch = (color, overlay = []) => element("span", { className: "swatch" },
  svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, svg("rect", { width: 14, height: 14, rx: 3, fill: color }), ...overlay));
