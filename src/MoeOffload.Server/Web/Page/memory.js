// Shows the memory that the model uses on each device, next to what was planned.

import { element, replace, svg } from "./dom.js";
import { bytes, percent } from "./format.js";

const parts = [
  { key: "weight_bytes", label: "Weights", color: "var(--weights)" },
  { key: "context_bytes", label: "KV cache", color: "var(--context)" },
  { key: "compute_bytes", label: "Compute", color: "var(--compute)" },
];

const heldBy = device => parts.reduce((sum, part) => sum + device[part.key], 0);
const plannedFor = device => heldBy(device) + device.other_bytes;

/** Draws the devices of a model's status. `plan` is what was planned, or undefined. */
export function showMemory(parent, devices, plan) {
  const used = devices.filter(device => heldBy(device) > 0);
  const planned = new Map((plan?.devices ?? []).map(device => [device.name, device]));
  const largest = Math.max(1, ...used.map(heldBy), ...[...planned.values()].map(plannedFor));
  replace(parent,
    element("ul", { className: "legend" },
      ...parts.map(part => element("li", {}, swatch(part.color), part.label)),
      ...(plan ? [element("li", {}, planSwatch(), "Planned")] : [])),
    ...used.map(device => deviceRow(device, planned.get(device.name), largest)),
    ...(plan ? [planOf(plan)] : []));
}

function deviceRow(device, planned, largest) {
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
  if (planned) bar.append(svg("rect", { class: "plan-mark", x: Math.min(99, 100 * plannedFor(planned) / largest - .5), y: 0, width: 1, height: 12 }));
  return element("div", { className: "device" },
    element("div", { className: "device-head" }, element("span", {}, nameOf(device)), element("span", {}, bytes(held))),
    bar,
    element("p", { className: "note" }, `${text}.${free}${planned ? ` ${comparison(held, plannedFor(planned))}` : ""}`));
}

function comparison(held, planned) {
  const difference = held - planned;
  const isSame = Math.abs(difference) < Math.max(1, planned) * 0.001;
  return `Planned ${bytes(planned)}${isSame ? ", as it is" : `: ${bytes(Math.abs(difference))} ${difference > 0 ? "more" : "less"} are used`}.`;
}

const planOf = plan => element("div", { className: "plan" },
  element("p", { className: "note" }, `Planned for a context of ${plan.context_length.toLocaleString("en")} tokens, with ${bytes(plan.margin_bytes)} left free: `
    + `${plan.expert_layers_on_devices} of ${plan.expert_layers} layers have their experts on devices, and ${percent(plan.device_bytes_per_token / Math.max(1, plan.bytes_per_token))} `
    + `of what a token reads comes from there.${plan.exact ? "" : " The sizes were estimated."}`),
  element("p", {}, element("code", { title: "The options of the command for this placement" }, plan.options)));

const nameOf = device => device.name === "Host" ? "System memory" : device.description ? `${device.name} · ${device.description}` : device.name;

/** Creates a colored square for a legend. */
export const swatch = (color, overlay = []) => element("span", { className: "swatch" },
  svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, svg("rect", { width: 14, height: 14, rx: 3, fill: color }), ...overlay));

const planSwatch = () => element("span", { className: "swatch" },
  svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, svg("rect", { class: "plan-mark", x: 6, width: 2.5, height: 14 })));
