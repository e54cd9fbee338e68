// Parses the marks in a line of Markdown: code, emphasis and links. Everything becomes text nodes.

import { element } from "./dom.js";

const tags = { "**": "strong", "__": "strong", "~~": "del" };
const escapable = /[\\`*_{}[\]()#+\-.!|~>]/;

/** Returns the nodes of a text. The search for each kind of closing mark fails at most once, so that the time stays linear. */
export function inline(text) {
  const made = document.createDocumentFragment();
  const missing = new Set();
  let plain = "";
  const find = (mark, from) => {
    const at = missing.has(mark) ? -1 : text.indexOf(mark, from);
    if (at < 0) missing.add(mark);
    return at;
  };
  const add = node => {
    if (plain) made.append(plain);
    plain = "";
    made.append(node);
  };
  for (let i = 0; i < text.length;) {
    const span = spanAt(text, i, find);
    if (span) {
      add(span.node);
      i = span.end;
    } else {
      plain += text[i++];
    }
  }
  if (plain) made.append(plain);
  return made;
}

function spanAt(text, i, find) {
  switch (text[i]) {
    case "\n":
      return { node: element("br"), end: i + 1 };
    case "`": {
      let length = 1;
      while (text[i + length] === "`") length++;
      const mark = "`".repeat(length);
      const end = find(mark, i + length);
      return end < 0 ? { node: mark, end: i + length } : { node: element("code", {}, text.slice(i + length, end)), end: end + length };
    }
    case "\\":
      return escapable.test(text[i + 1] ?? "") ? { node: text[i + 1], end: i + 2 } : null;
    case "*":
      return emphasis(text, i, text[i + 1] === "*" ? "**" : "*", find);
    case "_":
      return /\w/.test(text[i - 1] ?? " ") ? null : emphasis(text, i, text[i + 1] === "_" ? "__" : "_", find);
    case "~":
      return text[i + 1] === "~" ? emphasis(text, i, "~~", find) : null;
    case "[":
      return link(text, i, find);
    case "h":
      return address(text, i);
    default:
      return null;
  }
}

function emphasis(text, i, mark, find) {
  const start = i + mark.length;
  const end = /\S/.test(text[start] ?? " ") ? find(mark, start + 1) : -1;
  if (end < 0 || /\s/.test(text[end - 1]) || mark[0] === "_" && /\w/.test(text[end + mark.length] ?? " ")) return null;
  return { node: element(tags[mark] ?? "em", {}, inline(text.slice(start, end))), end: end + mark.length };
}

// An address that is written out. Punctuation at its end belongs to the sentence.
function address(text, i) {
  if (/\w/.test(text[i - 1] ?? " ")) return null;
  const found = text.slice(i, i + 2048).match(/^https?:\/\/[^\s<>"`]+/)?.[0].replace(/[.,;:!?'")\]*_]+$/, "");
  return found && found.length > 8 ? { node: anchor(found, found), end: i + found.length } : null;
}

function link(text, i, find) {
  const middle = find("](", i + 1);
  const end = middle < 0 ? -1 : find(")", middle);
  const target = end < 0 ? "" : text.slice(middle + 2, end);
  if (!/^https?:\/\/\S+$/.test(target) || text.slice(i, middle).includes("\n")) return null;
  return { node: anchor(target, text.slice(i + 1, middle)), end: end + 1 };
}

const anchor = (target, text) => element("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, text);
