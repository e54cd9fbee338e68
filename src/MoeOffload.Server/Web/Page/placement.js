// Shows the device of each layer's tensors: a row for each layer, and a column for each kind of tensor.

import { dataTable, element, replace, svg } from "./dom.js";
import { bytes, ranges } from "./format.js";
import { swatch } from "./memory.js";

const kinds = [
  ["attention", "attention"],
  ["norm", "norms"],
  ["router", "router"],
  ["feed_forward", "dense"],
  ["shared_experts", "shared"],
  ["experts", "experts"],
  ["other", "other"],
];
const labels = new Map([...kinds, ["embedding", "embedding"], ["output", "output"]]);
const width = 360;
const left = 62;
const top = 16;

/** Draws the placement of a model's status. */
export function showPlacement(parent, placement) {
  const devices = placement.devices;
  const legend = element("ul", { className: "legend" },
    ...devices.map(device => element("li", {}, deviceSwatch(devices, device.name), `${deviceLabel(device.name)} · ${bytes(device.weight_bytes)}`)));
  replace(parent, legend, draw(placement), summaryTable(placement));
}

const deviceLabel = name => name === "Host" ? "system memory" : name;

function deviceColor(devices, name) {
  if (name === "Host") return "var(--device-host)";
  const others = devices.filter(device => device.name !== "Host").map(device => device.name);
  return `var(--device-${others.indexOf(name) % 4})`;
}

// System memory is also hatched, for people who cannot distinguish the colors.
const hatch = () => svg("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
  svg("line", { class: "hatch", x1: 0, y1: 0, x2: 0, y2: 5 }));

const deviceSwatch = (devices, name) =>
  swatch(deviceColor(devices, name), name === "Host" ? [svg("rect", { width: 14, height: 14, rx: 3, fill: "url(#hatch)" })] : []);

function draw(placement) {
  const layers = placement.layers;
  const columns = kinds.filter(([kind]) => layers.some(layer => layer.groups.some(group => group.kind === kind)));
  const height = Math.max(5, Math.min(16, Math.floor(320 / Math.max(1, layers.length))));
  const gap = height > 8 ? 2 : 1;
  const cell = (width - left) / Math.max(1, columns.length);
  const every = Math.ceil(11 / height);
  const rows = [];
  let y = top;
  const whole = kind => {
    const groups = placement.others.filter(group => group.kind === kind);
    if (groups.length === 0) return;
    rows.push(label(labels.get(kind), y, 10), ...cellOf(groups, left, y, width - left - 2, 10, placement.devices, labels.get(kind)));
    y += 10 + gap + 2;
  };
  whole("embedding");
  layers.forEach((layer, index) => {
    if (index % every === 0) rows.push(label(`${layer.layer}`, y, height));
    columns.forEach(([kind, name], column) => {
      const groups = layer.groups.filter(group => group.kind === kind);
      rows.push(...cellOf(groups, left + column * cell, y, cell - 2, height - gap, placement.devices, `layer ${layer.layer}, ${name}`));
    });
    y += height;
  });
  y += 2;
  whole("output");
  whole("other");
  const heads = columns.map(([, name], column) => {
    const head = svg("text", { x: left + column * cell + (cell - 2) / 2, y: 10, "text-anchor": "middle" });
    head.textContent = name;
    return head;
  });
  return svg("svg", { class: "placement-map", viewBox: `0 0 ${width} ${y}`, role: "img", "aria-label": `Placement of the tensors. ${sentences(placement).join(" ")}` },
    svg("defs", {}, hatch()), ...heads, ...rows);
}

function label(text, y, height) {
  const made = svg("text", { x: left - 6, y: y + Math.min(height, 12) / 2 + 3, "text-anchor": "end" });
  made.textContent = text;
  return made;
}

// If the tensors of a cell are on several devices, the cell is split in proportion to their bytes.
function cellOf(groups, x, y, cellWidth, height, devices, name) {
  if (groups.length === 0) return [svg("rect", { class: "track", x, y, width: cellWidth, height, rx: 2 })];
  const total = groups.reduce((sum, group) => sum + Math.max(1, group.bytes), 0);
  return groups.flatMap(group => {
    const part = cellWidth * Math.max(1, group.bytes) / total;
    const title = svg("title");
    title.textContent = `${name}: ${bytes(group.bytes)} in ${deviceLabel(group.device)} (${group.tensors} ${group.tensors === 1 ? "tensor" : "tensors"})`;
    const place = { x, y, width: part, height, rx: Math.min(2, part / 2) };
    x += part;
    const drawn = svg("rect", { ...place, fill: deviceColor(devices, group.device) }, title);
    return group.device === "Host" ? [drawn, svg("rect", { ...place, fill: "url(#hatch)", "pointer-events": "none" })] : [drawn];
  });
}

// Returns the tensors of each device as [kind, where], with null for tensors outside of layers.
function holdings(placement, device) {
  const inLayers = kinds.map(([kind, name]) => [
    name,
    placement.layers.filter(layer => layer.groups.some(group => group.kind === kind && group.device === device)).map(layer => layer.layer),
  ]).filter(([, layers]) => layers.length > 0);
  const outside = placement.others.filter(group => group.device === device).map(group => [labels.get(group.kind), null]);
  return [...inLayers, ...outside];
}

function sentences(placement) {
  return placement.devices.map(({ name }) => {
    const parts = holdings(placement, name).map(([kind, layers]) => layers ? `${kind} of layers ${ranges(layers)}` : kind);
    return `${deviceLabel(name)}: ${parts.join(", ")}.`;
  });
}

function summaryTable(placement) {
  const rows = placement.devices.flatMap(({ name }) =>
    holdings(placement, name).map(([kind, layers]) => [deviceLabel(name), kind, layers ? ranges(layers) : "–"]));
  return dataTable("As a table", ["Memory of", "Tensors", "Layers"], rows);
}
