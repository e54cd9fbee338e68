// The conversation that is shown: its branch of messages, and what can be done with them.

import { AnswerView } from "./answer.js";
import * as conversations from "./conversations.js";
import { announce, byId } from "./dom.js";
import { keep, tellProblem } from "./keeping.js";
import { QuestionView } from "./question.js";
import { requestOf } from "./request.js";
import { Run } from "./run.js";
import { keepAtEnd, scrollToEnd } from "./scroller.js";
import * as settings from "./settings.js";
import * as toast from "./toast.js";
import { Tree } from "./tree.js";

const list = byId("messages");

/** The chat. `onBegin` and `onEnd` are called for each answer, and `onShow` when another conversation or another state is shown. */
export class Chat {
  #conversation = null;
  #tree = new Tree();
  #path = [];
  #views = new Map();
  #runs = new Map();
  #writers = new Set();
  #opening = null;
  #isRemoved = false;

  constructor({ model, onBegin, onEnd, onShow }) {
    Object.assign(this, { model, onBegin, onEnd, onShow });
    conversations.onChange(change => this.#follow(change));
  }

  /** The conversation that is shown, or null if it has no message yet. */
  get conversation() {
    return this.#conversation;
  }

  /** The messages that are shown. */
  get path() {
    return this.#path;
  }

  /** Whether an answer is generated in the conversation that is shown. */
  get isRunning() {
    return this.#runs.has(this.#conversation?.id);
  }

  /** Whether an answer is generated in any conversation. */
  get isBusy() {
    return this.#runs.size > 0;
  }

  /** The number of tokens that the last answer used of the context, or null if that is not known. */
  get usedTokens() {
    return this.#path.at(-1)?.figures?.usedTokens ?? null;
  }

  /** Shows a conversation. Returns whether it exists. */
  async open(id) {
    if (this.#conversation?.id === id) return true;
    this.#opening = id;
    let found = null;
    try {
      found = await conversations.read(id);
    } catch (error) {
      tellProblem(error);
    }
    if (this.#opening !== id) return true;
    if (found) this.#show(found.conversation, found.messages);
    return found !== null;
  }

  /** Begins a conversation, which is kept once it has a message. */
  startNew() {
    this.#show(null, []);
  }

  /** Stops the answers of conversations that are removed, and shows none of them. */
  forget(ids) {
    for (const id of ids) this.#runs.get(id)?.stop();
    if (ids.includes(this.#conversation?.id)) this.startNew();
  }

  /** Stops the answer that is generated in the conversation that is shown. */
  stop() {
    this.#runs.get(this.#conversation?.id)?.stop();
  }

  /** Says what the answers that are generated with a model wait for. */
  showWaiting(model, text) {
    for (const { message } of this.#runs.values()) {
      if (message.model === model) this.#views.get(message.id)?.showWaiting(text);
    }
  }

  /** Sends a message of the user. Returns whether it was sent. */
  send(text, attachments = []) {
    const chosen = this.#settings();
    if (!chosen) return false;
    this.#conversation ??= conversations.newConversation(conversations.titleOf(text || attachments[0].name), settings.system());
    this.#add("user", text, attachments.length > 0 ? { attachments } : {}, this.#path.at(-1));
    this.#answer(chosen);
    return true;
  }

  /** Edits the last message of the user. */
  editLast() {
    const last = this.#path.findLast(message => message.role === "user");
    if (last) this.#views.get(last.id).edit();
  }

  /** Keeps another system message. */
  async setSystem(system) {
    if (!this.#conversation) return;
    this.#conversation.system = system;
    await keep(() => conversations.change(this.#conversation.id, { system }));
  }

  #show(conversation, messages) {
    this.#opening = null;
    this.#isRemoved = false;
    this.#conversation = conversation;
    this.#tree = new Tree(messages);
    const running = this.#runs.get(conversation?.id)?.message;
    if (running) this.#tree.add(running);
    this.#views.clear();
    list.replaceChildren();
    this.#render();
    scrollToEnd();
  }

  // Shows the branch that ends with the conversation's head. Views of messages that are shown already stay, and so does the focus.
  #render() {
    const head = this.#conversation?.head;
    this.#path = this.#tree.pathTo(this.#tree.get(head) ? head : this.#tree.leafOf());
    const shown = this.#path.filter(message => message.role !== "tool");
    const running = this.#runs.get(this.#conversation?.id)?.message;
    for (const [id, view] of this.#views) {
      if (!shown.includes(view.message)) {
        view.node.remove();
        this.#views.delete(id);
      }
    }
    shown.forEach((message, index) => {
      const view = this.#viewOf(message);
      if (list.children[index] !== view.node) list.insertBefore(view.node, list.children[index] ?? null);
      view.update(this.#tree.versionsOf(message), {
        isBusy: message === running,
        isLast: message === this.#path.at(-1),
        results: this.#resultsOf(message),
      });
    });
    this.onShow();
  }

  #viewOf(message) {
    let view = this.#views.get(message.id);
    if (!view) {
      const actions = {
        show: (version, button) => this.#switchTo(version, button),
        edit: (edited, text) => this.#edit(edited, text),
        retry: answer => this.#retry(answer),
        continue: answer => this.#continue(answer),
        results: (answer, results) => this.#sendResults(answer, results),
      };
      view = message.role === "user" ? new QuestionView(message, actions) : new AnswerView(message, actions);
      this.#views.set(message.id, view);
    }
    return view;
  }

  #resultsOf(message) {
    const after = this.#path.slice(this.#path.indexOf(message) + 1);
    const end = after.findIndex(next => next.role !== "tool");
    return after.slice(0, end < 0 ? undefined : end).map(result => result.content);
  }

  #settings() {
    return this.isRunning || !this.model() ? null : settings.sampling();
  }

  // Adds a message after another one, and shows it.
  #add(role, content, others, parent) {
    const message = conversations.newMessage(this.#conversation.id, parent?.id ?? null, role, content, others);
    const isNew = this.#tree.all.length === 0;
    this.#tree.add(message);
    Object.assign(this.#conversation, { head: message.id, updated: Date.now() });
    const { head, updated } = this.#conversation;
    if (isNew || this.#isRemoved) keep(() => conversations.write([{ conversation: this.#conversation, messages: this.#tree.all }]));
    else keep(() => conversations.save(message, { head, updated }));
    this.#isRemoved = false;
    return message;
  }

  #edit(message, text) {
    if (message.role === "assistant") {
      this.#add("assistant", text, { model: message.model, state: "edited" }, this.#tree.get(message.parent));
      this.#render();
      return;
    }
    const chosen = this.#settings();
    if (!chosen) return;
    this.#add("user", text, message.attachments ? { attachments: message.attachments } : {}, this.#tree.get(message.parent));
    this.#answer(chosen);
  }

  #retry(answer) {
    const chosen = this.#settings();
    if (!chosen) return;
    this.#conversation.head = answer.parent;
    this.#path = this.#tree.pathTo(answer.parent);
    this.#answer(chosen);
  }

  #continue(answer) {
    const chosen = this.#settings();
    if (chosen) this.#run(answer, chosen, this.#path);
  }

  #sendResults(answer, results) {
    const chosen = this.#settings();
    if (!chosen) return;
    results.reduce((parent, { call, content }) => this.#add("tool", content, { toolName: call.name, callId: call.id }, parent), answer);
    this.#answer(chosen);
  }

  #switchTo(version, button) {
    const head = this.#tree.leafOf(version.id);
    this.#conversation.head = head;
    this.#render();
    const view = this.#views.get(version.id);
    (view.node.querySelector(`.${button}:enabled`) ?? view.node.querySelector(".versions button:enabled"))?.focus();
    announce(view.node.querySelector(".version")?.getAttribute("aria-label") ?? "");
    keep(() => conversations.change(this.#conversation.id, { head }));
  }

  #answer(chosen) {
    const path = this.#tree.pathTo(this.#conversation.head);
    const answer = this.#add("assistant", "", { model: this.model(), state: "broken" }, path.at(-1));
    return this.#run(answer, chosen, path);
  }

  async #run(message, chosen, path) {
    const conversation = this.#conversation;
    const { id } = message;
    const run = new Run(message, () => this.#views.get(message.id)?.show(), tellProblem);
    this.#runs.set(conversation.id, run);
    this.#writers.add(message.writer);
    this.#render();
    scrollToEnd();
    announce("Answering…");
    await this.onBegin();
    await run.finish(requestOf(message.model, path, conversation.system, chosen));
    this.#runs.delete(conversation.id);
    if (conversation.id === this.#conversation?.id) {
      if (message.id !== id) await this.#reload(message.id);
      keepAtEnd(() => this.#render());
      announce(this.#views.get(message.id)?.summary ?? "The answer is complete.");
    } else {
      announce(`The answer in “${conversation.title}” is complete.`);
    }
    this.onEnd(message.figures ?? null);
  }

  // Shows an answer that became a version beside the one of another tab.
  async #reload(head) {
    const found = await conversations.read(this.#conversation.id).catch(() => null);
    if (!found) return;
    this.#tree = new Tree(found.messages);
    this.#conversation.head = head;
  }

  // Takes over what other tabs, and the list of conversations, have changed.
  async #follow({ id, kind, isOwn }) {
    if (id !== this.#conversation?.id) return;
    if (kind === "removed") {
      if (isOwn) return;
      this.#isRemoved = true;
      toast.show("Another tab has deleted this conversation. Sending a message keeps it.");
      return;
    }
    if (isOwn && kind !== "list") return;
    const found = await conversations.read(id).catch(() => null);
    if (!found || id !== this.#conversation?.id) return;
    const { title, system } = found.conversation;
    Object.assign(this.#conversation, { title, system });
    if (isOwn) return this.onShow();
    found.messages.filter(message => this.#isNews(message)).forEach(message => this.#tree.add(message));
    keepAtEnd(() => this.#render());
  }

  // Answers that this tab writes are newer here than in the database, and questions never change.
  #isNews(message) {
    const known = this.#tree.get(message.id);
    return !known || Boolean(message.writer) && !this.#writers.has(message.writer) && (message.writer !== known.writer || message.content !== known.content || message.state !== known.state);
  }
}
