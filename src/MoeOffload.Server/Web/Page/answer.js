// An answer of the model: its text, its thoughts, its tool calls and its figures.

import { element } from "./dom.js";
import { count, duration, speed } from "./format.js";
import { iconButton } from "./icons.js";
import { MarkdownView } from "./markdown.js";
import { keepAtEnd } from "./scroller.js";
import { CallViews } from "./tools.js";
import { copyButton, editText, frame, replaceButtons, versionButtons } from "./views.js";

const remarks = {
  cut: "cut: the most tokens are reached, or the context is full",
  stopped: "stopped",
  broken: "not complete",
  edited: "edited",
};

/** The view of an answer. `actions` are `edit`, `retry`, `continue`, `show` and `results`. */
export class AnswerView {
  #thinking = element("details", { className: "thinking", hidden: true }, element("summary", {}, "Thinking…"), element("div", { className: "thought" }));
  #body = element("div", { className: "body" });
  #waiting = element("p", { className: "waiting" }, "Waiting for the first token…");
  #calls = element("div", { className: "calls" });
  #problem = element("p", { className: "problem" });
  #foot = element("div", { className: "foot" });
  #markdown = new MarkdownView(this.#body);
  #callViews;
  #pending = null;
  #isBusy = false;

  constructor(message, actions) {
    this.message = message;
    this.actions = actions;
    this.#callViews = new CallViews(this.#calls, results => actions.results(message, results));
    this.node = frame("assistant", message.model || "Answer", this.#waiting, this.#thinking, this.#body, this.#calls, this.#foot);
  }

  /** Says what the answer waits for. */
  showWaiting(text) {
    this.#waiting.textContent = text;
  }

  /** Shows a part that has arrived. Parts that arrive within one frame are drawn together. */
  show() {
    this.#pending ??= requestAnimationFrame(() => keepAtEnd(() => this.#draw()));
  }

  /** Shows the state of the message. */
  update(versions, { isBusy, isLast, results }) {
    this.#isBusy = isBusy;
    if (isBusy) this.node.setAttribute("aria-busy", "true");
    else this.node.removeAttribute("aria-busy");
    this.#callViews.show(this.message.calls ?? [], results, !isBusy && isLast);
    this.#draw();
    replaceButtons(this.#foot, isBusy ? [] : [
      ...versionButtons(this.message, versions, this.actions.show),
      copyButton(() => this.message.content),
      iconButton("edit", "Edit the answer", () => this.#edit()),
      iconButton("retry", "Try again", () => this.actions.retry(this.message)),
      ...(isLast && this.#canContinue ? [iconButton("continue", "Continue", () => this.actions.continue(this.message))] : []),
      ...this.#notes.map(note => element("span", { className: "figure" }, note)),
    ]);
  }

  /** The text for screen readers when the answer has ended. */
  get summary() {
    return [this.message.content, this.message.problem ?? remarks[this.message.state]].filter(Boolean).join(" – ");
  }

  get #canContinue() {
    return this.message.content && !this.message.calls?.length && ["cut", "stopped", "broken"].includes(this.message.state);
  }

  get #notes() {
    const { figures, state } = this.message;
    return [
      remarks[state],
      figures?.omitted && `the ${count(figures.omitted)} oldest messages were left out: the context is too short for them`,
      figures && `${count(figures.answerTokens)} tokens`,
      figures?.speed && `${speed(figures.speed)} tokens/s`,
      figures?.firstToken && `first after ${duration(figures.firstToken)}`,
    ].filter(Boolean);
  }

  #draw() {
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
    this.#pending = null;
    const { content, thinking, thinkingTime, problem, calls } = this.message;
    const isEmpty = !content && !calls?.length;
    this.#waiting.hidden = this.#isBusy ? !isEmpty || Boolean(thinking) : !isEmpty || Boolean(problem);
    if (!this.#isBusy) this.#waiting.textContent = this.message.state === "complete" ? "The answer is empty." : "No answer.";
    this.#thinking.hidden = !thinking;
    if (thinking) {
      this.#thinking.firstChild.textContent = Number.isFinite(thinkingTime) ? `Thought for ${duration(thinkingTime)}` : this.#isBusy ? "Thinking…" : "Thoughts";
      this.#thinking.lastChild.textContent = thinking;
    }
    this.#markdown.show(content);
    this.#problem.textContent = problem ?? "";
    if (problem && !this.#isBusy) this.#foot.before(this.#problem);
    else this.#problem.remove();
  }

  #edit() {
    editText([this.#body, this.#foot], this.message.content, { label: "Edit the answer", save: "Save", onSave: text => this.actions.edit(this.message, text) });
  }
}
