// Blocks of code with their language, and copying of texts.

import { announce, element } from "./dom.js";
import { highlight } from "./highlight.js";

/** Creates a block of code. */
export function codeBlock(text, language) {
  const copy = element("button", { type: "button", className: "small" }, "Copy");
  copy.onclick = () => copyText(copy, () => text, () => { copy.textContent = "Copied"; }, () => { copy.textContent = "Copy"; });
  return element("div", { className: "code" },
    element("div", { className: "code-head" }, element("span", {}, language || "code"), copy),
    element("pre", { tabIndex: 0 }, element("code", {}, ...highlight(text, language))));
}

/** Copies a text, confirms it on the button, and restores the button after a while. */
export async function copyText(button, text, confirm, restore) {
  const isCopied = await copy(text());
  announce(isCopied ? "Copied." : "The browser does not allow this page to copy. Select the text, and copy it yourself.");
  if (!isCopied) {
    button.title = "The browser does not allow this page to copy. Select the text, and copy it yourself.";
    return;
  }
  confirm();
  setTimeout(restore, 1500);
}

// Without HTTPS, browsers offer only the older way, which copies a selection.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const field = element("textarea", { value: text, className: "unseen", readOnly: true });
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return isCopied;
  }
}
