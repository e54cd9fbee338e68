// A message of the user.

import { chip } from "./chips.js";
import { element } from "./dom.js";
import { iconButton } from "./icons.js";
import { copyButton, editText, frame, replaceButtons, versionButtons } from "./views.js";

/** The view of a question. `actions` are `edit` and `show`. */
export class QuestionView {
  #body = element("div", { className: "body" });
  #chips = element("ul", { className: "chips", "aria-label": "Attachments" });
  #foot = element("div", { className: "foot" });

  constructor(message, actions) {
    this.message = message;
    this.actions = actions;
    this.node = frame("user", "You", this.#chips, this.#body, this.#foot);
    this.#body.textContent = message.content;
    this.#chips.hidden = !message.attachments?.length;
    this.#chips.append(...(message.attachments ?? []).map(file => chip(file)));
    this.#body.hidden = !message.content;
  }

  /** Updates the buttons. */
  update(versions) {
    replaceButtons(this.#foot, [
      ...versionButtons(this.message, versions, this.actions.show),
      copyButton(() => this.message.content),
      iconButton("edit", "Edit", () => this.edit()),
    ]);
  }

  /** Shows a field with the text. */
  edit() {
    if (this.node.querySelector(".edit")) return;
    editText([this.#body, this.#foot], this.message.content, { label: "Edit the message", save: "Send", onSave: text => this.actions.edit(this.message, text) });
  }
}
