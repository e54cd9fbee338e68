// Turns a branch of a conversation into the request that continues it.

import { fenced } from "./transfer.js";

/** Returns the request for the next answer. `path` are the messages so far. */
export function requestOf(model, path, system, { think, options, tools }) {
  const messages = path.filter(isSaid).map(toMessage);
  if (system) messages.unshift({ role: "system", content: system });

  // If the chat is too long for the context, the server leaves out its oldest turns, and says how many messages that are.
  return { model, messages, options, think, ...(tools.length > 0 ? { tools } : {}), stream: true, truncate: true };
}

const isSaid = message => message.role !== "assistant" || message.content || message.calls?.length > 0;

function toMessage(message) {
  switch (message.role) {
    case "user": {
      const images = (message.attachments ?? []).filter(file => file.kind === "image").map(file => file.data);
      return { role: "user", content: contentOf(message), ...(images.length > 0 ? { images } : {}) };
    }
    case "tool":
      return { role: "tool", content: message.content, tool_name: message.toolName, tool_call_id: message.callId };
    default:
      return {
        role: "assistant",
        content: message.content,
        ...(message.calls?.length > 0 ? { tool_calls: message.calls.map(call => ({ id: call.id, function: { name: call.name, arguments: call.arguments } })) } : {}),
      };
  }
}

// Files come first, so that the question about them is the last thing that the model reads.
function contentOf(message) {
  const files = (message.attachments ?? []).filter(file => file.kind === "text").map(file => fenced(file.text, file.name));
  return [...files, message.content].filter(Boolean).join("\n\n");
}
