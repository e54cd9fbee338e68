// The drawings of buttons. Buttons are named by their label, so the drawings are hidden from screen readers.

import { element, svg } from "./dom.js";

const shapes = {
  add: "M10 4v12M4 10h12",
  attach: "M15.5 8.5l-6 6a3.2 3.2 0 0 1-4.5-4.5l6.3-6.3a2.2 2.2 0 0 1 3.1 3.1l-6.2 6.2a1.1 1.1 0 0 1-1.6-1.6l5.6-5.6",
  close: "M5 5l10 10M15 5L5 15",
  continue: "M6 4.5v11l9-5.5z",
  copy: "M8 7h7.5v9.5H8zM12 7V3.5H4.5V13H8",
  details: "M3.5 4h13v12h-13zM12 4v12",
  done: "M4 10.5l4 4 8-9",
  edit: "M4 16l.8-3.6L13 4.2l2.8 2.8-8.2 8.2zM11.5 5.7l2.8 2.8",
  keys: "M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M6.5 11.5h7",
  list: "M3.5 4h13v12h-13zM8 4v12",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  next: "M8 5l5 5-5 5",
  previous: "M12 5l-5 5 5 5",
  retry: "M15.5 10.5A5.5 5.5 0 1 1 13.6 6M14.5 2.5V6.5h-4",
  send: "M10 16V4.5M5 9.5l5-5 5 5",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
  stop: "M6 6h8v8H6z",
};

/** Creates a drawing. */
export const icon = name => svg("svg", { class: `icon icon-${name}`, viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: shapes[name] }));

/** Creates a button that shows a drawing and is called by its label. */
export function iconButton(name, label, action, properties = {}) {
  const button = element("button", { type: "button", className: "icon-button", title: label, "aria-label": label, ...properties }, icon(name));
  button.onclick = action;
  return button;
}

/** Draws the buttons of the page that name a drawing. */
export function drawIcons() {
  for (const button of document.querySelectorAll("[data-icon]")) button.prepend(icon(button.dataset.icon));
}
