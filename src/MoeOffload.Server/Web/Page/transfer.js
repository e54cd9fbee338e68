// Conversations as files: JSON, which can be imported again, and Markdown.

import { newId } from "./conversations.js";
import { element } from "./dom.js";
import { Tree } from "./tree.js";

const format = "moeoffload-conversations";
const roles = ["user", "assistant", "tool"];
const states = ["complete", "cut", "stopped", "broken", "edited"];

/** The largest file that can be imported, in bytes. */
export const largestImport = 64 * 1024 * 1024;

/** Returns the text of a file with conversations. */
export const toJson = all => JSON.stringify({ format, version: 1, conversations: all.map(({ conversation, messages }) => ({ ...conversation, messages })) }, null, 2);

/** Returns the branch of a conversation that is shown, as Markdown. */
export function toMarkdown({ conversation, messages }) {
  const tree = new Tree(messages);
  const parts = [`# ${conversation.title}`];
  if (conversation.system) parts.push("## System", conversation.system);
  for (const message of tree.pathTo(conversation.head ?? tree.leafOf())) {
    parts.push(`## ${{ user: "You", tool: `Result of ${message.toolName}` }[message.role] ?? message.model ?? "Answer"}`);
    for (const file of message.attachments ?? []) parts.push(file.kind === "text" ? fenced(file.text, file.name) : `*${file.name}*`);
    if (message.content) parts.push(message.content);
    for (const call of message.calls ?? []) parts.push(fenced(JSON.stringify(call.arguments, null, 2), `call of ${call.name}`));
  }
  return `${parts.join("\n\n")}\n`;
}

/** Returns a text as a block of code with a title. The fence is longer than any in the text. */
export function fenced(text, title) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${title}:\n${fence}\n${text}\n${fence}`;
}

/** Offers a text as a file. */
export function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Returns a title as the name of a file. */
export const fileName = (title, extension) => `${title.replace(/[^\p{L}\p{N} _-]+/gu, "").trim().slice(0, 60) || "conversation"}.${extension}`;

/** Reads conversations from the text of a file, and gives them new identifiers. Throws an error with a sentence for the user. */
export function fromJson(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON. Choose a file that this page has exported.");
  }
  if (file?.format !== format || !Array.isArray(file.conversations)) throw new Error("it has no conversations of this page. Choose a file that this page has exported as JSON.");
  if (file.version !== 1) throw new Error("a newer version of this page has exported it. Update the server.");
  return file.conversations.map(readConversation);
}

function readConversation(raw) {
  const conversation = { id: newId(), title: text(raw?.title) || "Imported", system: text(raw?.system), created: time(raw?.created), updated: time(raw?.updated), head: null };
  const given = Array.isArray(raw?.messages) ? raw.messages.filter(message => roles.includes(message?.role) && typeof message.id === "string") : [];
  const children = Map.groupBy(given, message => message.parent ?? null);
  const ids = new Map([[null, null]]);
  const messages = [];

  // What no path from the beginning leads to would never be shown.
  const waiting = [null];
  while (waiting.length > 0) {
    const parent = waiting.pop();
    for (const message of children.get(parent) ?? []) {
      if (ids.has(message.id)) continue;
      ids.set(message.id, newId());
      messages.push(readMessage(message, ids.get(message.id), ids.get(parent), conversation.id));
      waiting.push(message.id);
    }
  }
  if (messages.length < given.length) throw new Error("messages are missing in it, to which others refer.");
  conversation.head = ids.get(raw.head) ?? new Tree(messages).leafOf();
  return { conversation, messages };
}

// Only known fields of known types are taken over.
function readMessage(raw, id, parent, conversation) {
  const message = { id, parent, conversation, role: raw.role, content: text(raw.content), created: time(raw.created) };
  if (Array.isArray(raw.attachments)) message.attachments = raw.attachments.map(readAttachment).filter(Boolean);
  if (raw.role === "tool") return { ...message, toolName: text(raw.toolName), callId: text(raw.callId) };
  if (raw.role === "user") return message;
  const calls = Array.isArray(raw.calls) ? raw.calls.map(call => ({ id: text(call?.id), name: text(call?.name), arguments: object(call?.arguments) })) : [];
  return {
    ...message,
    model: text(raw.model),
    state: states.includes(raw.state) ? raw.state : "broken",
    ...(text(raw.thinking) ? { thinking: text(raw.thinking), thinkingTime: number(raw.thinkingTime) } : {}),
    ...(text(raw.problem) ? { problem: text(raw.problem) } : {}),
    ...(calls.length > 0 ? { calls } : {}),
    ...(raw.figures && typeof raw.figures === "object" ? { figures: readFigures(raw.figures) } : {}),
  };
}

function readAttachment(raw) {
  const common = { name: text(raw?.name) || "file", bytes: number(raw?.bytes) ?? 0 };
  if (raw?.kind === "text") return { kind: "text", ...common, text: text(raw.text), ...(number(raw.tokens) === null ? {} : { tokens: raw.tokens }) };
  const isImage = raw?.kind === "image" && /^image\/(png|jpeg|webp)$/.test(raw.type) && /^[\w+/]+=*$/.test(text(raw.data));
  return isImage ? { kind: "image", ...common, type: raw.type, data: raw.data } : null;
}

const readFigures = raw => Object.fromEntries(
  ["firstToken", "speed", "promptTokens", "answerTokens", "usedTokens", "omitted"].map(name => [name, number(raw[name])]));

const text = value => typeof value === "string" ? value : "";
const number = value => Number.isFinite(value) ? value : null;
const time = value => Number.isFinite(value) && Math.abs(value) < 8.64e15 ? value : Date.now();
const object = value => value !== null && typeof value === "object" ? value : {};
