// Short messages about what happened elsewhere on the page, with an action such as "Undo". They stay until they are closed or replaced.

import { announce, byId, element } from "./dom.js";
import { iconButton } from "./icons.js";

/** Shows a message. `action` is the label and the function of a button. */
export function show(text, action = null, isProblem = false) {
  const toast = byId("toast");
  toast.className = isProblem ? "toast problem" : "toast";
  toast.replaceChildren(element("span", {}, text));
  if (action) {
    const button = element("button", { type: "button", className: "small" }, action.label);
    button.onclick = () => { close(); action.run(); };
    toast.append(button);
  }
  toast.append(iconButton("close", "Close this message", close));
  toast.hidden = false;
  announce(text);
}

/** Shows what went wrong. */
export const showProblem = text => show(text, null, true);

/** Hides the message. */
export function close() {
  byId("toast").hidden = true;
}
