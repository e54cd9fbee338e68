// The list of conversations: search, rename, delete, export and import.

import * as conversations from "./conversations.js";
import { explainStorage, readUsage } from "./database.js";
import { announce, byId, element } from "./dom.js";
import { ageOf, bytes } from "./format.js";
import { iconButton } from "./icons.js";
import * as toast from "./toast.js";
import { download, fileName, fromJson, largestImport, toJson, toMarkdown } from "./transfer.js";

const list = byId("conversation-list");
const note = byId("conversation-note");
const field = byId("search");
const menu = byId("conversation-menu");

/** The list. `chat` shows the conversations. */
export class Sidebar {
  #chat;
  #all = [];
  #found = null;
  #drawing = null;
  #searching = null;

  constructor(chat) {
    this.#chat = chat;
    field.addEventListener("input", () => {
      clearTimeout(this.#searching);
      this.#searching = setTimeout(() => this.#search(), 150);
    });
    conversations.onChange(({ kind }) => { if (kind !== "messages") this.refresh(); });
    byId("export-all").addEventListener("click", () => this.#try(async () =>
      download(`conversations-${new Date().toISOString().slice(0, 10)}.json`, "application/json", toJson(await conversations.readAll()))));
    byId("delete-all").addEventListener("click", () => this.#try(() => this.#remove(this.#all, `Deleted ${this.#all.length} conversations.`)));
    byId("import").addEventListener("click", () => byId("import-file").click());
    byId("import-file").addEventListener("change", () => this.#try(() => this.#import(byId("import-file"))));
    this.refresh();
  }

  /** Reads the list again, at most once in each frame. */
  refresh() {
    this.#drawing ??= requestAnimationFrame(() => {
      this.#drawing = null;
      this.#read();
    });
  }

  /** Marks the conversation that is shown. */
  mark() {
    const id = this.#chat.conversation?.id;
    for (const link of list.querySelectorAll("a")) {
      if (link.dataset.id === id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  async #read() {
    try {
      this.#all = await conversations.list();
      this.#draw();
    } catch (error) {
      note.textContent = explainStorage(error);
      note.hidden = false;
    }
    const usage = await readUsage();
    byId("storage").textContent = usage ? `The conversations and this page use ${bytes(usage.usage)} of the ${bytes(usage.quota)} that the browser allows.` : "";
  }

  async #search() {
    const text = field.value.trim();
    await this.#try(async () => {
      const found = text ? await conversations.search(text) : null;
      if (field.value.trim() !== text) return;
      this.#found = found;
      this.#draw();
      if (found) announce(found.size === 1 ? "1 conversation found." : `${found.size} conversations found.`);
    });
  }

  #draw() {
    if (list.querySelector("input")) return; // A name is being typed.
    const focused = document.activeElement?.closest("#conversation-list li")?.dataset.id;
    const shown = this.#all.filter(conversation => !this.#found || this.#found.has(conversation.id));
    const nodes = [];
    let age = null;
    for (const conversation of shown) {
      if (ageOf(conversation.updated) !== age) nodes.push(element("li", { className: "age" }, age = ageOf(conversation.updated)));
      nodes.push(this.#item(conversation));
    }
    list.replaceChildren(...nodes);
    list.querySelector(`li[data-id="${focused}"] a`)?.focus();
    note.hidden = shown.length > 0;
    note.textContent = this.#found ? "No conversation contains that." : "Conversations are kept in this browser. There are none yet.";
    this.mark();
  }

  #item(conversation) {
    const link = element("a", { href: `#chat=${conversation.id}`, "data-id": conversation.id, title: conversation.title },
      element("span", { className: "title" }, conversation.title));
    const excerpt = this.#found?.get(conversation.id);
    if (excerpt && excerpt !== conversation.title) link.append(element("span", { className: "excerpt" }, excerpt));
    const more = iconButton("more", `Actions for ${conversation.title}`, () => this.#openMenu(more, conversation, item), { "aria-haspopup": "true" });
    const item = element("li", { className: "conversation", "data-id": conversation.id }, link, more);
    return item;
  }

  #openMenu(button, conversation, item) {
    const action = (label, run, className = "") => {
      const made = element("button", { type: "button", className }, label);
      made.onclick = () => { menu.hidePopover(); this.#try(run); };
      return made;
    };
    menu.replaceChildren(
      action("Rename", () => this.#rename(item, conversation)),
      action("Export as Markdown", async () => download(fileName(conversation.title, "md"), "text/markdown", toMarkdown(await conversations.read(conversation.id)))),
      action("Export as JSON", async () => download(fileName(conversation.title, "json"), "application/json", toJson([await conversations.read(conversation.id)]))),
      action("Delete", () => this.#remove([conversation], `Deleted “${conversation.title}”.`), "danger"));
    menu.showPopover();
    const box = button.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(box.right, innerWidth - 8) - menu.offsetWidth)}px`;
    menu.style.top = `${Math.max(8, Math.min(box.bottom + 4, innerHeight - menu.offsetHeight - 8))}px`;
    menu.ontoggle = event => { if (event.newState === "closed" && menu.contains(document.activeElement)) button.focus(); };
    menu.firstChild.focus();
  }

  #rename(item, conversation) {
    const name = element("input", { value: conversation.title, maxLength: 200, "aria-label": "Name of the conversation" });
    const form = element("form", {}, name);
    let isOpen = true;
    const end = async isKept => {
      if (!isOpen) return;
      isOpen = false;
      const title = name.value.trim();
      form.remove();
      if (isKept && title && title !== conversation.title) await this.#try(() => conversations.change(conversation.id, { title }));
      await this.#read();
      list.querySelector(`li[data-id="${conversation.id}"] a`)?.focus();
    };
    form.onsubmit = event => { event.preventDefault(); end(true); };
    name.onblur = () => end(true);
    name.onkeydown = event => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      end(false);
    };
    item.replaceChildren(form);
    name.focus();
    name.select();
  }

  async #remove(removed, text) {
    const ids = removed.map(conversation => conversation.id);
    if (ids.length === 0) return;
    const shown = this.#chat.conversation?.id;
    const kept = await conversations.remove(ids);
    this.#chat.forget(ids);
    toast.show(text, { label: "Undo", run: () => this.#try(async () => {
      await conversations.write(kept);
      announce("The conversations are back.");
      if (ids.includes(shown) && !this.#chat.conversation) await this.#chat.open(shown);
    }) });
  }

  async #import(chooser) {
    const [file] = chooser.files;
    if (!file) return;
    chooser.value = "";
    try {
      if (file.size > largestImport) throw new Error(`it has ${bytes(file.size)}, and at most ${bytes(largestImport)} can be imported.`);
      const all = fromJson(await file.text());
      await conversations.write(all);
      toast.show(`Imported ${all.length === 1 ? "1 conversation" : `${all.length} conversations`}.`);
      if (all.length > 0) await this.#chat.open(all[0].conversation.id);
    } catch (error) {
      toast.showProblem(error instanceof DOMException ? explainStorage(error) : `${file.name} cannot be imported: ${error.message}`);
    }
  }

  async #try(action) {
    try {
      await action();
    } catch (error) {
      toast.showProblem(explainStorage(error));
    }
  }
}
