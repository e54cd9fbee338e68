// Puts errors into the words of someone who uses this page, with what helps.

import { count } from "./format.js";

const tooLong = /prompt has (\d+) tokens, but the context has room for (\d+)/;

// A sentence about the program's own code.
const code = /\b\w+(?:Options|Request)\.[A-Z]\w+/;

/** What is said if the server cannot be reached. */
export const serverLost = "The server does not answer. Check that it runs and that this machine can reach it; this page keeps trying.";

/** Returns whether an error means that the server was not reached, or that its answer broke off. */
export const isLost = error => error?.name === "ConnectionError";

/** Returns the text of an error. */
export function explain(error) {
  if (isLost(error)) return "The connection to the server was lost. What had arrived is kept: continue the answer, or try again, when the server is back.";
  const { message } = error;
  const [, tokens, room] = message.match(tooLong) ?? [];
  if (tokens) {
    return `The message is too long: it has ${count(Number(tokens))} tokens, and the model's context has room for ${count(Number(room))}. Send a shorter one, or start the server with a longer context.`;
  }
  const sentences = message.split(/(?<=[.!?])\s+/).filter(sentence => !code.test(sentence));
  return sentences.join(" ") || "The server could not answer. Its log says why.";
}
