// Puts errors of the server into the words of someone who uses this page.

import { count } from "./format.js";

const tooLong = /prompt has (\d+) tokens, but the context has room for (\d+)/;

// A sentence about the program's own code.
const code = /\b\w+(?:Options|Request)\.[A-Z]\w+/;

/** Returns the text of an error. */
export function explain(message) {
  const [, tokens, room] = message.match(tooLong) ?? [];
  if (tokens) {
    return `The message is too long: it has ${count(Number(tokens))} tokens, and the model's context has room for ${count(Number(room))}. Send a shorter one, or start the server with a longer context.`;
  }
  const sentences = message.split(/(?<=[.!?])\s+/).filter(sentence => !code.test(sentence));
  return sentences.join(" ") || "The server could not answer. Its log says why.";
}
