// Tool calls of the model: their names and arguments, and fields for their results.

import { element } from "./dom.js";

/** The calls of one answer. `onResults` is called with a result for each call. */
export class CallViews {
  #parent;
  #onResults;
  #shown = null;

  constructor(parent, onResults) {
    this.#parent = parent;
    this.#onResults = onResults;
  }

  /** Shows the calls. `results` are the contents of their results so far; if there are none, they can be entered if `asks` is true. */
  show(calls, results, asks) {
    const state = JSON.stringify([calls, results, asks]);
    if (state === this.#shown) return;
    this.#shown = state;
    const isAnswered = results.length > 0;
    const form = element("form", { className: "call-list" }, ...calls.map((call, index) => this.#call(call, results[index], asks && !isAnswered)));
    if (asks && !isAnswered && calls.length > 0) {
      form.append(element("div", { className: "row" }, element("button", { type: "submit", className: "primary" }, calls.length > 1 ? "Send the results" : "Send the result")));
    }
    form.onsubmit = event => {
      event.preventDefault();
      this.#onResults(calls.map((call, index) => ({ call, content: form.querySelectorAll("textarea")[index].value })));
    };
    this.#parent.replaceChildren(...calls.length > 0 ? [form] : []);
  }

  #call(call, result, asks) {
    const parts = [
      element("p", { className: "call-name" }, "Calls ", element("code", {}, call.name)),
      element("pre", { tabIndex: 0, "aria-label": `Arguments of ${call.name}`, role: "region" }, element("code", {}, JSON.stringify(call.arguments, null, 2))),
    ];
    if (result !== undefined) {
      parts.push(element("p", { className: "call-name" }, "Result"), element("pre", { tabIndex: 0, "aria-label": `Result of ${call.name}`, role: "region" }, element("code", {}, result)));
    } else if (asks) {
      parts.push(element("label", { className: "call-result" }, `Result of ${call.name}`, element("textarea", { rows: 2, required: true })));
    }
    return element("div", { className: "call" }, ...parts);
  }
}
