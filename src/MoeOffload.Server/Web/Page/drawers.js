// The parts beside the chat: wide windows show them next to it unless they are closed, and narrow ones show them over it on request.

import { byId } from "./dom.js";
import { local } from "./kept.js";

const narrow = matchMedia("(max-width: 64rem)");
const drawers = [];

// A press beside what lies over the chat closes it. The chat itself gets no events then.
document.querySelector("main").addEventListener("click", event => { if (event.target === event.currentTarget) closeOver(); });

/** Makes a part that a button opens and closes. `name` is what the browser keeps its state under. */
export function addDrawer(id, buttonId, name) {
  const part = byId(id);
  const button = byId(buttonId);
  const set = isOpen => {
    part.hidden = !isOpen;
    button.setAttribute("aria-expanded", `${isOpen}`);
    document.querySelector("main").classList.toggle(`without-${id}`, !isOpen);
    const isOver = drawers.find(drawer => narrow.matches && !drawer.part.hidden);
    document.querySelector(".chat").inert = Boolean(isOver);
  };
  const drawer = { part, button, set };
  drawers.push(drawer);
  button.addEventListener("click", () => {
    const isOpen = part.hidden;
    if (narrow.matches) closeOver();
    else local.setItem(name, isOpen ? "open" : "closed");
    set(isOpen);
  });
  const initialize = () => set(!narrow.matches && local.getItem(name) !== "closed");
  narrow.addEventListener("change", initialize);
  initialize();
}

/** Opens a part. */
export function openDrawer(id) {
  const { part, button } = drawers.find(drawer => drawer.part.id === id);
  if (part.hidden) button.click();
}

/** Closes what lies over the chat, and returns whether there was something. */
export function closeOver() {
  const open = narrow.matches ? drawers.filter(drawer => !drawer.part.hidden) : [];
  for (const { part, button, set } of open) {
    if (part.contains(document.activeElement)) button.focus();
    set(false);
  }
  return open.length > 0;
}
