// Renders the Markdown of models: paragraphs, headings, lists, quotes, tables and code. Everything becomes text nodes.

import { element } from "./dom.js";

const fence = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const heading = /^(#{1,6})\s+(.+?)\s*#*$/;
const rule = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const item = /^( *)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const tableRule = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** Shows a growing text. Only the blocks that changed are created again. */
export class MarkdownView {
  #parent;
  #blocks = [];

  constructor(parent) {
    this.#parent = parent;
  }

  show(text) {
    const sources = blocksOf(text);
    sources.forEach((source, index) => {
      const shown = this.#blocks[index];
      if (shown?.source === source) return;
      const node = render(source);
      if (shown) shown.node.replaceWith(node);
      else this.#parent.append(node);
      this.#blocks[index] = { source, node };
    });
    for (const { node } of this.#blocks.splice(sources.length)) node.remove();
  }
}

// Splits a text into blocks of source lines, which stay the same while more text is appended.
function blocksOf(text) {
  const blocks = [];
  let lines = [];
  let open = null;
  const close = () => {
    if (lines.length > 0) blocks.push(lines.join("\n"));
    lines = [];
  };
  for (const line of text.split("\n")) {
    const mark = line.match(fence)?.[1];
    if (open) {
      lines.push(line);
      if (mark && mark[0] === open[0] && mark.length >= open.length && line.trim() === mark) {
        open = null;
        close();
      }
    } else if (mark) {
      close();
      open = mark;
      lines.push(line);
    } else if (line.trim() === "") {
      close();
    } else if (heading.test(line) || rule.test(line)) {
      close();
      blocks.push(line);
    } else {
      const begins = kindOf(line) !== kindOf(lines[0] ?? line) && (kindOf(line) !== "text" || kindOf(lines[0]) === "quote");
      if (begins) close();
      lines.push(line);
    }
  }
  close();
  return joinLists(blocks);
}

const kindOf = line => item.test(line) ? "list" : line.startsWith(">") ? "quote" : "text";

// Blank lines between the items of a list do not end it.
function joinLists(blocks) {
  const joined = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    const isItem = kindOf(block) === "list" && !rule.test(block);
    if (last && isItem && kindOf(last) === "list" && sameKindOfList(last, block)) joined[joined.length - 1] = `${last}\n${block}`;
    else joined.push(block);
  }
  return joined;
}

function sameKindOfList(first, second) {
  const [, , bullet] = first.match(item);
  const [, indent, nextBullet] = second.match(item);
  return indent.length > 0 || Boolean(bullet) === Boolean(nextBullet);
}

function render(source) {
  const lines = source.split("\n");
  const code = lines[0].match(fence);
  if (code) return codeBlock(lines, code[1], code[2]);
  const title = lines[0].match(heading);
  if (title) return element(`h${Math.min(6, title[1].length + 2)}`, {}, inline(title[2]));
  if (rule.test(lines[0])) return element("hr");
  if (kindOf(lines[0]) === "list") return list(lines);
  if (kindOf(lines[0]) === "quote") return quote(lines);
  if (lines.length > 1 && lines[0].includes("|") && tableRule.test(lines[1])) return table(lines);
  return element("p", {}, inline(source));
}

function codeBlock(lines, mark, language) {
  const isClosed = lines.length > 1 && lines.at(-1).trim().startsWith(mark);
  const text = lines.slice(1, isClosed ? -1 : undefined).join("\n");
  const copy = element("button", { type: "button", className: "small" }, "Copy");
  copy.onclick = () => copyText(copy, text);
  return element("div", { className: "code" },
    element("div", { className: "code-head" }, element("span", {}, language || "code"), copy),
    element("pre", { tabIndex: 0 }, element("code", {}, text)));
}

/** Copies a text, and confirms it on the button. */
export async function copyText(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

function list(lines) {
  const root = element("div");
  const open = [{ indent: -1, node: root }];
  for (const line of lines) {
    const found = line.match(item);
    if (!found) {
      open.at(-1).last?.append(element("br"), inline(line.trim()));
      continue;
    }
    const [, spaces, bullet, digits, text] = found;
    while (open.length > 1 && spaces.length < open.at(-1).indent) open.pop();
    if (spaces.length > open.at(-1).indent) {
      const node = bullet ? element("ul") : element("ol", { start: Number(digits) });
      (open.at(-1).last ?? open.at(-1).node).append(node);
      open.push({ indent: spaces.length, node });
    }
    const made = element("li", {}, inline(text));
    open.at(-1).node.append(made);
    open.at(-1).last = made;
  }
  return root.children.length === 1 ? root.firstChild : root;
}

function quote(lines) {
  const inner = element("blockquote");
  new MarkdownView(inner).show(lines.map(line => line.replace(/^>+ ?/, "")).join("\n"));
  return inner;
}

function table(lines) {
  const cells = line => line.trim().replace(/^\||\|$/g, "").split("|").map(cell => cell.trim());
  const heads = cells(lines[0]);
  return element("div", { className: "table-scroll", tabIndex: 0 }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map(head => element("th", { scope: "col" }, inline(head))))),
    element("tbody", {}, ...lines.slice(2).map(line =>
      element("tr", {}, ...cells(line).slice(0, heads.length).map(cell => element("td", {}, inline(cell))))))));
}

// Parses marks in a line. The search for each kind of closing mark fails at most once, so that the time stays linear.
function inline(text) {
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
      return end < 0 ? null : { node: element("code", {}, text.slice(i + length, end)), end: end + length };
    }
    case "*": {
      const mark = text[i + 1] === "*" ? "**" : "*";
      const start = i + mark.length;
      const end = /\S/.test(text[start] ?? " ") ? find(mark, start + 1) : -1;
      return end < 0 || /\s/.test(text[end - 1])
        ? null
        : { node: element(mark === "**" ? "strong" : "em", {}, inline(text.slice(start, end))), end: end + mark.length };
    }
    case "[":
      return link(text, i, find);
    default:
      return null;
  }
}

function link(text, i, find) {
  const middle = find("](", i + 1);
  const end = middle < 0 ? -1 : find(")", middle);
  const target = end < 0 ? "" : text.slice(middle + 2, end);
  if (!/^https?:\/\/\S+$/.test(target) || text.slice(i, middle).includes("\n")) return null;
  return {
    node: element("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, text.slice(i + 1, middle)),
    end: end + 1,
  };
}
