// The box in which messages are written.

import { Attachments } from "./attachments.js";
import { byId } from "./dom.js";
import { session } from "./kept.js";
import { preference } from "./preferences.js";
import { keepAtEnd } from "./scroller.js";

const draftName = "moeoffload.draft";
const prompt = byId("prompt");

/** The composer. `onSend` sends a text with files and returns whether it was sent, `onStop` stops the answer, and `status` returns the model's. */
export class Composer {
  #isRunning = false;
  #isSending = false;

  constructor({ onSend, onStop, status }) {
    this.onSend = onSend;
    this.attachments = new Attachments({ status, onChange: () => this.#refresh() });
    prompt.value = session.getItem(draftName) ?? "";
    byId("composer").addEventListener("submit", event => { event.preventDefault(); this.send(); });
    byId("stop").addEventListener("click", onStop);
    prompt.addEventListener("keydown", event => {
      const isSending = preference("send") === "enter" ? !event.shiftKey && !event.ctrlKey && !event.metaKey : event.ctrlKey || event.metaKey;
      if (event.key === "Enter" && isSending && !event.isComposing) {
        event.preventDefault();
        this.send();
      }
    });
    prompt.addEventListener("input", () => {
      session.setItem(draftName, prompt.value);
      this.#refresh();
    });
    this.#refresh();
  }

  /** Sends what was written, with the attached files. */
  async send() {
    if (this.#isRunning || this.#isSending) return;
    this.#isSending = true;
    const files = await this.attachments.take();
    this.#isSending = false;
    const text = prompt.value.trim();
    if (!text && files.length === 0 || !this.onSend(text, files)) return this.attachments.set(files);
    prompt.value = "";
    session.removeItem(draftName);
    this.#refresh();
  }

  /** Sends a text. */
  ask(text) {
    prompt.value = text;
    return this.send();
  }

  /** Shows whether an answer is being generated. */
  showRunning(isRunning) {
    this.#isRunning = isRunning;
    this.#refresh();
  }

  /** Moves the focus to the box. */
  focus() {
    prompt.focus();
  }

  #refresh() {
    const hadFocus = document.activeElement === byId("stop");
    byId("send").hidden = this.#isRunning;
    byId("stop").hidden = !this.#isRunning;
    byId("send").disabled = prompt.value.trim() === "" && !this.attachments?.count;
    keepAtEnd(fit);
    if (hadFocus && !this.#isRunning) prompt.focus();
  }
}

// The height is that of the text.
function fit() {
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight}px`;
}
