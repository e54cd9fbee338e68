// The box in which messages are written.

import { byId } from "./dom.js";
import { keepAtEnd } from "./scroller.js";

const draftName = "moeoffload.draft";
const prompt = byId("prompt");

/** The composer. `onSend` sends a text and returns whether it was sent, and `onStop` stops the answer. */
export class Composer {
  #isRunning = false;

  constructor({ onSend, onStop }) {
    this.onSend = onSend;
    prompt.value = sessionStorage.getItem(draftName) ?? "";
    byId("composer").addEventListener("submit", event => { event.preventDefault(); this.send(); });
    byId("stop").addEventListener("click", onStop);
    prompt.addEventListener("keydown", event => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      }
    });
    prompt.addEventListener("input", () => {
      sessionStorage.setItem(draftName, prompt.value);
      this.#refresh();
    });
    this.#refresh();
  }

  /** Sends a text, or what was written. */
  send(text = prompt.value.trim()) {
    if (!text || this.#isRunning || !this.onSend(text)) return;
    prompt.value = "";
    sessionStorage.removeItem(draftName);
    this.#refresh();
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
    byId("send").disabled = prompt.value.trim() === "";
    keepAtEnd(fit);
    if (hadFocus && !this.#isRunning) prompt.focus();
  }
}

// The height is that of the text.
function fit() {
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight}px`;
}
