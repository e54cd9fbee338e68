// Files that are attached to the next message.

import * as api from "./api.js";
import { chip } from "./chips.js";
import { announce, byId } from "./dom.js";
import { bytes } from "./format.js";
import { readImage } from "./images.js";
import * as toast from "./toast.js";

const most = 10;
const largestText = 1024 * 1024;
const largestImage = 20 * 1024 * 1024;
const imageTypes = ["image/png", "image/jpeg", "image/webp", "image/gif"];

/** The files of the composer. `status` returns the model's status, or null, and `onChange` is called when the files change. */
export class Attachments {
  #files = [];
  #reading = Promise.resolve();
  #readsImages = new Map();

  constructor({ status, onChange }) {
    Object.assign(this, { status, onChange });
    const chooser = byId("attach-file");
    byId("attach").addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", () => {
      this.add([...chooser.files]);
      chooser.value = "";
    });
    byId("prompt").addEventListener("paste", event => {
      if (event.clipboardData.files.length === 0) return;
      event.preventDefault();
      this.add([...event.clipboardData.files]);
    });
    this.#acceptDrops(document.querySelector(".chat"));
  }

  /** The number of files. */
  get count() {
    return this.#files.length;
  }

  /** Whether the model reads images. */
  get readsImages() {
    return this.#readsImages.get(this.status()?.model) === true;
  }

  /** Adds files, and says which ones cannot be added and why. */
  add(files) {
    this.#reading = this.#reading.then(() => this.#addAll(files));
    return this.#reading;
  }

  /** Returns the files when all are read, and removes them. */
  async take() {
    await this.#reading;
    const taken = this.#files;
    this.set([]);
    return taken;
  }

  /** Replaces the files. */
  set(files) {
    this.#files = files;
    this.#draw();
  }

  /** Counts the tokens of texts that were attached before the model was loaded, and offers what the model reads. */
  update() {
    for (const file of this.#files) this.#count(file);
    this.#askForImages();
  }

  // Only a loaded model can tell, and it tells always the same.
  async #askForImages() {
    const { status, model } = this.status() ?? {};
    if (status === "loaded" && !this.#readsImages.has(model)) {
      this.#readsImages.set(model, false);
      this.#readsImages.set(model, await api.readsImages(model).catch(() => false));
    }
    byId("attach").title = `Attach text files${this.readsImages ? " or images" : ""}, up to ${most}, and ${bytes(largestText)} for each text`;
  }

  async #addAll(files) {
    const problems = [];
    for (const file of files) {
      try {
        if (this.#files.length >= most) throw new Error(`at most ${most} files can be attached to a message. Send some of them first.`);
        const added = imageTypes.includes(file.type) ? await this.#readImage(file) : await readText(file);
        this.#files.push(added);
        this.#count(added);
      } catch (error) {
        problems.push(`${file.name} is not attached: ${error.message}`);
      }
    }
    this.#draw();
    if (problems.length > 0) toast.showProblem(problems.join(" "));
    else announce(files.length === 1 ? `${files[0].name} is attached.` : `${files.length} files are attached.`);
  }

  #readImage(file) {
    if (!this.readsImages) throw new Error("this model reads only text. Choose a model that reads images.");
    if (file.size > largestImage) throw new Error(`it has ${bytes(file.size)}, and images can have up to ${bytes(largestImage)}. Make it smaller.`);
    return readImage(file);
  }

  // The model's own tokenizer counts, if the model is loaded: a count is no reason to load it.
  async #count(file) {
    if (file.kind !== "text" || file.tokens || this.status()?.status !== "loaded") return;
    file.tokens = 0;
    file.tokens = await api.countTokens(this.status().model, file.text).catch(() => undefined);
    if (this.#files.includes(file)) this.#draw();
  }

  #draw() {
    const list = byId("attachments");
    list.hidden = this.#files.length === 0;
    list.replaceChildren(...this.#files.map(file => chip(file, () => {
      this.set(this.#files.filter(other => other !== file));
      announce(`${file.name} is removed.`);
      byId("prompt").focus();
    })));
    this.onChange();
  }

  #acceptDrops(area) {
    const hasFiles = event => event.dataTransfer?.types.includes("Files");
    area.addEventListener("dragover", event => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      area.classList.add("drop");
    });
    area.addEventListener("dragleave", event => { if (!area.contains(event.relatedTarget)) area.classList.remove("drop"); });
    area.addEventListener("drop", event => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      area.classList.remove("drop");
      this.add([...event.dataTransfer.files]);
    });
  }
}

async function readText(file) {
  if (file.size > largestText) throw new Error(`it has ${bytes(file.size)}, and texts can have up to ${bytes(largestText)}. Attach the part that matters.`);
  const data = new Uint8Array(await file.arrayBuffer());
  const encoding = data[0] === 0xff && data[1] === 0xfe ? "utf-16le" : data[0] === 0xfe && data[1] === 0xff ? "utf-16be" : "utf-8";
  let text;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(data);
  } catch {
    throw new Error("it is not text, or not in UTF-8. Save it as text in UTF-8.");
  }
  if (text.includes("\0")) throw new Error("it is not text.");
  if (!text.trim()) throw new Error("it is empty.");
  return { kind: "text", name: file.name, bytes: file.size, text: text.replaceAll("\r\n", "\n") };
}
