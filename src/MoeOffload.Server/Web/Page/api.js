// The server's endpoints that this page uses. Paths are relative, so that the page works with a path prefix.

import { askForKey, readKey } from "./key.js";

/** An error that the server returned. */
export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The error of a server that was not reached, or whose answer broke off. */
export class ConnectionError extends Error {
  name = "ConnectionError";
}

/** The models that the server knows. */
export const listModels = async () => (await (await request("api/models")).json()).models;

/** State, devices, placement and expert counts of a model. */
export const readStatus = async (model, signal) =>
  (await request(`api/models/${encodeURIComponent(model)}/status`, { signal })).json();

/** Loads a model, and returns when it is loaded. */
export const loadModel = model => request(`api/models/${encodeURIComponent(model)}/load`, { method: "POST" });

/** Unloads a model. */
export const unloadModel = model => request(`api/models/${encodeURIComponent(model)}/unload`, { method: "POST" });

/** Returns whether a model reads images. The model has to be loaded, or it is loaded for this. */
export const readsImages = async model => (await (await request(`props?model=${encodeURIComponent(model)}`)).json()).modalities?.vision === true;

/** Counts the tokens of a text with the tokenizer of a model. */
export const countTokens = async (model, content) =>
  (await (await request("tokenize", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ model, content, parse_special: false }) })).json()).tokens.length;

/** Generates the answer to a chat, and yields the objects that the server streams. */
export async function* chat(body, signal) {
  const response = await request("api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await connected(reader.read());
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : lines.pop();
    for (const line of lines.filter(line => line.length > 0)) {
      const part = JSON.parse(line);
      if (part.error) throw new ServerError(messageOf(part) ?? "The server reported an error.", response.status);
      yield part;
    }
    if (done) return;
  }
}

async function request(path, options = {}) {
  for (;;) {
    const key = readKey();
    const response = await connected(fetch(path, {
      ...options,
      headers: { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) },
    }));
    if (response.ok) return response;
    const message = await errorOf(response);
    if (response.status !== 401 || !await askForKey(key)) throw new ServerError(message, response.status);
  }
}

async function connected(promise) {
  try {
    return await promise;
  } catch (error) {
    throw error.name === "AbortError" ? error : new ConnectionError(error.message, { cause: error });
  }
}

async function errorOf(response) {
  try {
    return messageOf(await response.json()) ?? response.statusText;
  } catch {
    return `The server answered ${response.status} ${response.statusText}`.trim();
  }
}

// Ollama's errors are strings, and OpenAI's are objects.
const messageOf = answer => typeof answer.error === "string" ? answer.error : answer.error?.message;
