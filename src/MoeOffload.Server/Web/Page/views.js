// What all messages have in common: their author, their buttons, and the editing of their text.

import { element } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { copyText } from "./code.js";

/** Creates the element of a message. */
export const frame = (kind, author, ...children) =>
  element("li", { className: `message ${kind}` }, element("span", { className: "author" }, author), ...children);

/** Replaces buttons. If one of them has the focus, the new one with its label gets it. */
export function replaceButtons(parent, buttons) {
  const label = parent.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  parent.replaceChildren(...buttons);
  if (label !== null) parent.querySelector(`[aria-label="${label}"]`)?.focus();
}

/** Creates a button that copies a text. */
export function copyButton(text) {
  const button = iconButton("copy", "Copy", () => copyText(button, text, () => button.replaceChildren(icon("done")), () => button.replaceChildren(icon("copy"))));
  return button;
}

/** Creates the buttons that switch between the versions of a message, or nothing if there is one. */
export function versionButtons(message, versions, onSwitch) {
  if (versions.length < 2) return [];
  const at = versions.findIndex(version => version.id === message.id);
  const step = (name, label, to) => iconButton(name, label, () => onSwitch(versions[to], name), { disabled: to < 0 || to >= versions.length, className: `icon-button ${name}` });
  return [element("span", { className: "versions", role: "group", "aria-label": "Versions" },
    step("previous", "Previous version", at - 1),
    element("span", { className: "version", "aria-label": `Version ${at + 1} of ${versions.length}` }, `${at + 1}/${versions.length}`),
    step("next", "Next version", at + 1))];
}

/** Shows a field with a text instead of some elements, until it is saved or canceled. */
export function editText(hidden, text, { label, save, onSave }) {
  const field = element("textarea", { value: text, "aria-label": label, className: "edit-field" });
  const form = element("form", { className: "edit" }, field, element("div", { className: "row" },
    button("button", "quiet", "Cancel"), button("submit", "primary", save)));
  const end = () => {
    form.remove();
    hidden.forEach(node => node.classList.remove("edited-away"));
  };
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  };
  form.querySelector("[type=button]").onclick = end;
  form.onsubmit = event => {
    event.preventDefault();
    const changed = field.value.trim();
    if (!changed) return;
    end();
    onSave(changed);
  };
  field.oninput = fit;
  field.onkeydown = event => {
    if (event.key === "Escape") {
      event.stopPropagation();
      end();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      form.requestSubmit();
    }
  };
  hidden.forEach(node => node.classList.add("edited-away"));
  hidden[0].after(form);
  fit();
  field.focus();
}

const button = (type, className, text) => element("button", { type, className }, text);
