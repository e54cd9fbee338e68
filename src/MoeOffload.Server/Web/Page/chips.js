// Attached files as chips.

import { element } from "./dom.js";
import { bytes, count } from "./format.js";
import { iconButton } from "./icons.js";

/** Creates the chip of a file. With `onRemove`, it has a button. */
export function chip(file, onRemove = null) {
  const facts = [bytes(file.bytes), file.tokens && `${count(file.tokens)} tokens`].filter(Boolean).join(", ");
  const made = element("li", { className: "chip" },
    element("span", { className: "chip-name", title: file.name }, file.name), element("span", { className: "chip-facts" }, facts));
  if (file.kind === "image") made.prepend(preview(file));
  if (onRemove) made.append(iconButton("close", `Remove ${file.name}`, onRemove));
  return made;
}

// Pictures are drawn instead of loaded, because the page's policy allows no addresses with data.
function preview(file) {
  const canvas = element("canvas", { className: "chip-image", role: "img", "aria-label": `Picture ${file.name}` });
  const binary = Uint8Array.from(atob(file.data), character => character.charCodeAt(0));
  createImageBitmap(new Blob([binary], { type: file.type })).then(picture => {
    const scale = Math.min(1, 160 / Math.max(picture.width, picture.height));
    Object.assign(canvas, { width: Math.max(1, picture.width * scale), height: Math.max(1, picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  }).catch(() => canvas.remove());
  return canvas;
}
