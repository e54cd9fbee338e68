// The conversation: its messages, and how they are shown.

import * as api from "./api.js";
import { announce, byId, element } from "./dom.js";
import { explain } from "./errors.js";
import { count, duration, speed } from "./format.js";
import { MarkdownView, copyText } from "./markdown.js";
import * as settings from "./settings.js";
import * as store from "./store.js";

const examples = ["Tell me a short story about a fox.", "Why is the sky blue?", "Write a haiku about the sea."];

// What the small model that comes with the project has learned.
const demoModel = /^tiny-moe\b/;
const demoExamples = ["Tell me a story about a brave fox.", "What do bees make?", "What is one plus seven?"];

const scroller = byId("scroller");
const list = byId("messages");
const prompt = byId("prompt");

/** A chat with one model at a time. `onBegin` and `onEnd` are called for each answer. */
export class Chat {
  #messages = [];
  #running = null;

  constructor({ model, onBegin, onEnd }) {
    this.model = model;
    this.onBegin = onBegin;
    this.onEnd = onEnd;
    byId("composer").addEventListener("submit", event => { event.preventDefault(); this.#send(); });
    byId("stop").addEventListener("click", () => this.stop());
    byId("new-chat").addEventListener("click", () => this.clear());
    document.addEventListener("keydown", event => { if (event.key === "Escape") this.stop(); });
    prompt.addEventListener("keydown", event => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#send();
      }
    });
    prompt.addEventListener("input", () => this.#refresh());
    this.#restore();
    this.#refresh();
  }

  /** Shows examples of questions that suit a model. */
  suggest(model) {
    byId("examples").replaceChildren(...(demoModel.test(model) ? demoExamples : examples).map(text => {
      const button = element("button", { type: "button", className: "quiet" }, text);
      button.onclick = () => { prompt.value = text; this.#send(); };
      return element("li", {}, button);
    }));
  }

  /** The number of tokens that the last answer used of the context, or null if there is none. */
  get usedTokens() {
    const last = this.#messages.at(-1)?.figures;
    return last ? last.promptTokens + last.answerTokens : null;
  }

  /** Whether an answer is being generated. */
  get isRunning() {
    return this.#running !== null;
  }

  /** Stops the answer that is being generated. */
  stop() {
    this.#running?.abort.abort();
  }

  /** Removes all messages. */
  clear() {
    this.stop();
    this.#messages = [];
    store.clear();
    list.replaceChildren();
    announce("New chat.");
    this.#refresh();
    this.onEnd(null);
    prompt.focus();
  }

  /** Shows the progress of loading the model, from 0 to 1, in the waiting answer. */
  showLoading(progress) {
    this.#running?.view.showWaiting(progress === null ? "Waiting for the first token…" : `Loading the model, ${Math.round(progress * 100)} %…`);
  }

  #send() {
    const text = prompt.value.trim();
    if (!text || this.isRunning || !this.model()) return;
    const chosen = settings.sampling();
    if (!chosen) return;
    prompt.value = "";
    this.#messages.push({ role: "user", content: text });
    store.write(this.#messages);
    list.append(question(text));
    this.#answer(chosen);
  }

  // Shows the chat that the browser has kept.
  #restore() {
    this.#messages = store.read();
    this.#messages.forEach((kept, index) => {
      if (kept.role === "user") {
        list.append(question(kept.content));
        return;
      }
      const view = new AnswerView(kept.model);
      view.finish(kept, kept.remark, kept.figures);
      view.offerRetry(() => this.#retry(view, index));
      list.append(view.node);
    });
    if (this.#messages.at(-1)?.role === "user") {
      const asked = this.#messages.length;
      const view = new AnswerView(this.model() || "Answer");
      view.fail({ content: "", thinking: "" }, "The page was left before the answer came.");
      view.offerRetry(() => this.#retry(view, asked));
      list.append(view.node);
    }
    scrollToEnd();
  }

  async #answer(chosen) {
    const model = this.model();
    const history = this.#messages;
    const asked = history.length;
    const view = new AnswerView(model);
    const running = { abort: new AbortController(), view };
    this.#running = running;
    list.append(view.node);
    this.#refresh();
    scrollToEnd();
    announce("Answering…");
    await this.onBegin();

    const answer = { role: "assistant", content: "", thinking: "", model };
    const begun = performance.now();
    let firstToken = null;
    let figures = null;
    try {
      for await (const part of api.chat(requestOf(model, history, chosen), running.abort.signal)) {
        const { content = "", thinking = "" } = part.message ?? {};
        if (firstToken === null && (content || thinking)) firstToken = performance.now() - begun;
        answer.content += content;
        answer.thinking += thinking;
        view.show(answer);
        if (part.done) figures = figuresOf(part, firstToken);
      }
      answer.remark = figures?.reason === "length" ? "cut: the most tokens are reached, or the context is full" : null;
      answer.figures = figures;
      keepAtEnd(() => view.finish(answer, answer.remark, figures));
    } catch (error) {
      const isStopped = running.abort.signal.aborted;
      answer.remark = isStopped ? "stopped" : "not complete";
      keepAtEnd(() => isStopped ? view.finish(answer, answer.remark, null) : view.fail(answer, explain(error.message)));
    }

    if (history === this.#messages) {
      if (answer.content) history.push(answer);
      store.write(history);
      keepAtEnd(() => view.offerRetry(() => this.#retry(view, asked)));
      announce(view.summary);
    }
    this.#running = null;
    this.#refresh();
    this.onEnd(figures);
  }

  // Removes an answer and everything after it, and asks again.
  #retry(view, asked) {
    const chosen = this.isRunning ? null : settings.sampling();
    if (!chosen) return;
    this.#messages.length = asked;
    store.write(this.#messages);
    while (list.lastChild && list.lastChild !== view.node) list.lastChild.remove();
    view.node.remove();
    this.#answer(chosen);
    prompt.focus();
  }

  #refresh() {
    byId("send").hidden = this.isRunning;
    byId("stop").hidden = !this.isRunning;
    byId("send").disabled = prompt.value.trim() === "";
    byId("welcome").hidden = list.children.length > 0;
    prompt.style.height = "auto";
    prompt.style.height = `${prompt.scrollHeight + 2}px`;
  }
}

function requestOf(model, history, { system, think, options }) {
  const messages = history.map(({ role, content }) => ({ role, content }));
  if (system) messages.unshift({ role: "system", content: system });

  // If the chat is too long for the context, the server leaves out its oldest turns, and says how many messages that are.
  return { model, messages, options, think, stream: true, truncate: true };
}

const question = text => message("user", "You", element("div", { className: "body" }, text));

const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;

// What appears below the messages must not cover their end.
let staysAtEnd = true;
scroller.addEventListener("scroll", () => { staysAtEnd = isAtEnd(); });
new ResizeObserver(() => { if (staysAtEnd) scrollToEnd(); }).observe(scroller);

function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
}

// Who reads further up stays there.
function keepAtEnd(action) {
  const wasAtEnd = isAtEnd();
  action();
  if (wasAtEnd) scrollToEnd();
}

// The server counts tokens and measures times, except for the time to the first token, which this page measures.
function figuresOf(part, firstToken) {
  const decoding = part.eval_duration / 1e9;
  return {
    firstToken,
    speed: part.eval_count > 1 && decoding > 0 ? (part.eval_count - 1) / decoding : null,
    promptTokens: part.prompt_eval_count ?? 0,
    answerTokens: part.eval_count ?? 0,
    omitted: part.omitted_messages ?? 0,
    reason: part.done_reason,
  };
}

function message(kind, author, ...children) {
  return element("li", { className: `message ${kind}` }, element("span", { className: "author" }, author), ...children);
}

class AnswerView {
  #thinking = element("details", { className: "thinking", hidden: true }, element("summary", {}, "Thinking…"), element("div", { className: "thought" }));
  #body = element("div", { className: "body" });
  #waiting = element("p", { className: "waiting" }, "Waiting for the first token…");
  #foot = element("div", { className: "foot" });
  #markdown = new MarkdownView(this.#body);
  #pending = null;

  constructor(model) {
    this.node = message("assistant", model, this.#waiting, this.#thinking, this.#body, this.#foot);
    this.node.setAttribute("aria-busy", "true");
    this.summary = "";
  }

  showWaiting(text) {
    this.#waiting.textContent = text;
  }

  // Parts that arrive within one frame are drawn together.
  show(answer) {
    if (this.#pending === null) this.#pending = requestAnimationFrame(() => this.#draw(answer));
  }

  finish(answer, remark, figures) {
    this.#draw(answer);
    this.node.removeAttribute("aria-busy");
    this.#waiting.remove();
    if (!answer.content) this.#body.append(element("p", { className: "waiting" }, remark ? "No answer." : "The answer is empty."));
    const notes = [
      remark,
      figures?.omitted && `the ${count(figures.omitted)} oldest messages were left out: the context is too short for them`,
      figures && `${count(figures.answerTokens)} tokens`,
      figures?.speed && `${speed(figures.speed)} tokens/s`,
      figures?.firstToken && `first after ${duration(figures.firstToken)}`,
    ].filter(Boolean);
    const copy = element("button", { type: "button", className: "small" }, "Copy");
    copy.onclick = () => copyText(copy, answer.content);
    this.#foot.replaceChildren(...notes.map(note => element("span", {}, note)), copy);
    this.summary = [answer.content, remark].filter(Boolean).join(" – ");
  }

  fail(answer, text) {
    this.finish(answer, null, null);
    if (!answer.content) this.#body.replaceChildren();
    this.#body.after(element("p", { className: "problem" }, text));
    this.summary = text;
  }

  offerRetry(action) {
    const retry = element("button", { type: "button", className: "small" }, "Try again");
    retry.onclick = action;
    this.#foot.append(retry);
  }

  #draw(answer) {
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
    this.#pending = null;
    keepAtEnd(() => this.#drawNow(answer));
  }

  #drawNow(answer) {
    if (answer.content || answer.thinking) this.#waiting.hidden = true;
    if (answer.thinking) {
      this.#thinking.hidden = false;
      this.#thinking.firstChild.textContent = answer.content ? "Thoughts" : "Thinking…";
      this.#thinking.lastChild.textContent = answer.thinking;
    }
    this.#markdown.show(answer.content);
  }
}
