// The generation of one answer, which goes on when another conversation is shown.

import * as api from "./api.js";
import { newId, save } from "./conversations.js";
import { explain } from "./errors.js";

// How often the unfinished answer is kept, in milliseconds.
const savePause = 1000;

/** Generates an answer into a message. */
export class Run {
  #abort = new AbortController();
  #saved = 0;
  #saving = Promise.resolve();
  #earlier;

  /** `onChange` is called when the message has changed, and `onProblem` with the error if it cannot be kept. */
  constructor(message, onChange, onProblem) {
    this.message = message;
    this.onChange = onChange;
    this.onProblem = onProblem;
    this.#earlier = { tokens: message.figures?.answerTokens ?? 0, thinkingTime: message.thinkingTime ?? 0 };
    Object.assign(message, { base: message.writer, writer: newId(), state: "broken", problem: undefined, figures: undefined });
  }

  /** Stops the generation. */
  stop() {
    this.#abort.abort();
  }

  /** Sends the request, and returns when the answer has ended in any way. */
  async finish(request) {
    const { message } = this;
    const times = { begun: performance.now(), firstToken: null, thinking: null };
    this.#keep();
    try {
      for await (const part of api.chat(request, this.#abort.signal)) {
        this.#take(part, times);
        this.onChange(message);
        if (performance.now() - this.#saved > savePause) this.#keep();
      }
      if (message.state === "broken") message.problem = "The answer ended early. Continue it, or try again.";
    } catch (error) {
      message.state = this.#abort.signal.aborted ? "stopped" : "broken";
      if (message.state === "broken") message.problem = explain(error);
    }
    if (times.thinking !== null) this.#endThinking(times);
    this.#keep({ updated: Date.now() });
    await this.#saving;
  }

  #take(part, times) {
    const { message } = this;
    const { content = "", thinking = "", tool_calls: calls = [] } = part.message ?? {};
    if (times.firstToken === null && (content || thinking || calls.length > 0)) times.firstToken = performance.now() - times.begun;
    if (thinking) times.thinking ??= performance.now();
    if (content && times.thinking !== null) this.#endThinking(times);
    message.content += content;
    if (thinking) message.thinking = (message.thinking ?? "") + thinking;
    if (calls.length > 0) {
      message.calls = [...message.calls ?? [], ...calls.map(call => ({ id: call.id ?? newId(), name: call.function.name, arguments: call.function.arguments }))];
    }
    if (part.done) {
      message.figures = this.#figuresOf(part, times.firstToken);
      message.state = part.done_reason === "length" ? "cut" : "complete";
    }
  }

  #endThinking(times) {
    this.message.thinkingTime = this.#earlier.thinkingTime + performance.now() - times.thinking;
    times.thinking = null;
  }

  // The server counts tokens and measures times, except for the time to the first token, which this page measures.
  #figuresOf(part, firstToken) {
    const decoding = part.eval_duration / 1e9;
    const promptTokens = part.prompt_eval_count ?? 0;
    const answerTokens = part.eval_count ?? 0;
    return {
      firstToken,
      speed: answerTokens > 1 && decoding > 0 ? (answerTokens - 1) / decoding : null,
      promptTokens,
      answerTokens: this.#earlier.tokens + answerTokens,
      usedTokens: promptTokens + answerTokens,
      omitted: part.omitted_messages ?? 0,
    };
  }

  // One write at a time, so that none overtakes another.
  #keep(fields = null) {
    this.#saved = performance.now();
    this.#saving = this.#saving.then(() => save(this.message, fields)).catch(error => this.onProblem(error));
  }
}
