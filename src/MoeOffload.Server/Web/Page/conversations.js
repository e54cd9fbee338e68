// The conversations that the browser keeps. A message is written once and refers to the one before it, so that tabs that use the same
// conversation add branches to it and overwrite nothing.

import { forEach, result, transact } from "./database.js";

const longestTitle = 60;
const listeners = new Set();
const channel = new BroadcastChannel("moeoffload");
channel.onmessage = event => tell({ ...event.data, isOwn: false });

/** Returns a new identifier. */
export const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map(byte => byte.toString(16).padStart(2, "0")).join("");

/** Returns the title of a conversation that begins with a text. */
export function titleOf(text) {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > longestTitle ? `${line.slice(0, longestTitle - 1).trimEnd()}…` : line;
}

/** Creates the record of a conversation. */
export function newConversation(title, system) {
  const now = Date.now();
  return { id: newId(), title, system, created: now, updated: now, head: null };
}

/** Creates the record of a message. `parent` is the identifier of the message before it, or null. */
export const newMessage = (conversation, parent, role, content, others = {}) =>
  ({ id: newId(), conversation, parent, role, content, created: Date.now(), ...others });

/**
 * Calls a function after each change, in this tab or another one: `{ id, kind, isOwn }`. The kind is "list" if the list of conversations has
 * changed, "messages" for messages of one, and "removed".
 */
export const onChange = listener => listeners.add(listener);

/** Returns the conversations without their messages, the latest first. */
export const list = () => transact("readonly", async conversations =>
  (await result(conversations.getAll())).sort((a, b) => b.updated - a.updated));

/** Returns a conversation with its messages, or null. */
export const read = id => transact("readonly", (conversations, messages) => readWith(conversations, messages, id));

/** Returns all conversations with their messages. */
export const readAll = () => transact("readonly", async (conversations, messages) => {
  const all = new Map((await result(conversations.getAll())).map(conversation => [conversation.id, { conversation, messages: [] }]));
  await forEach(messages, message => all.get(message.conversation)?.messages.push(message));
  return [...all.values()];
});

/** Writes whole conversations: new ones, imported ones, or ones that were removed. */
export async function write(all) {
  await transact("readwrite", async (conversations, messages) => {
    for (const item of all) {
      await result(conversations.put(item.conversation));
      for (const message of item.messages) await result(messages.put(message));
    }
  });
  for (const { conversation } of all) publish({ id: conversation.id, kind: "list" });
}

/** Changes fields of a conversation. Returns whether it still exists. */
export async function change(id, fields) {
  const exists = await transact("readwrite", async conversations => {
    const kept = await result(conversations.get(id));
    if (kept) await result(conversations.put({ ...kept, ...fields }));
    return Boolean(kept);
  });
  if (exists) publish({ id, kind: "list" });
  return exists;
}

/**
 * Writes a message, and fields of its conversation. If another tab has written the same message since `message.base`, this one becomes a
 * version beside it. Returns whether the conversation still exists.
 */
export async function save(message, fields = null) {
  const exists = await transact("readwrite", async (conversations, messages) => {
    const conversation = await result(conversations.get(message.conversation));
    if (!conversation) return false;
    const kept = await result(messages.get(message.id));
    if (kept?.writer && kept.writer !== message.writer && kept.writer !== message.base) message.id = newId();
    await result(messages.put(message));
    if (fields) await result(conversations.put({ ...conversation, ...fields }));
    return true;
  });
  if (exists) publish({ id: message.conversation, kind: "messages" });
  if (exists && fields) publish({ id: message.conversation, kind: "list" });
  return exists;
}

/** Removes conversations, and returns them with their messages, so that they can be written again. */
export async function remove(ids) {
  const removed = await transact("readwrite", async (conversations, messages) => {
    const all = [];
    for (const id of ids) {
      const found = await readWith(conversations, messages, id);
      if (!found) continue;
      all.push(found);
      await result(conversations.delete(id));
      for (const message of found.messages) await result(messages.delete(message.id));
    }
    return all;
  });
  for (const { conversation } of removed) publish({ id: conversation.id, kind: "removed" });
  return removed;
}

/** Returns a text around the first match in each conversation that contains a text, by the conversation's identifier. */
export async function search(text) {
  const wanted = text.toLowerCase();
  const found = new Map();
  const look = (id, content) => {
    if (found.has(id) || typeof content !== "string") return;
    const at = content.toLowerCase().indexOf(wanted);
    if (at >= 0) found.set(id, excerpt(content, at, wanted.length));
  };
  await transact("readonly", async (conversations, messages) => {
    await forEach(conversations, conversation => look(conversation.id, conversation.title));
    await forEach(messages, message => look(message.conversation, message.content));
  });
  return found;
}

const excerpt = (content, at, length) =>
  `${at > 20 ? "…" : ""}${content.slice(Math.max(0, at - 20), at + length + 60)}`.replace(/\s+/g, " ");

async function readWith(conversations, messages, id) {
  const conversation = await result(conversations.get(id));
  return conversation ? { conversation, messages: await result(messages.index("conversation").getAll(id)) } : null;
}

function publish(change) {
  channel.postMessage(change);
  tell({ ...change, isOwn: true });
}

function tell(change) {
  for (const listener of listeners) listener(change);
}
