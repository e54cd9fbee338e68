// Renders the Markdown of models: paragraphs, headings, lists, quotes, tables and code. Everything becomes text nodes.

import { codeBlock } from "./code.js";
import { element } from "./dom.js";
import { inline } from "./inline.js";

const fence = /^ *(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
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
        if (kindOf(lines[0]) !== "list") close();
      }
    } else if (mark) {
      if (!isInList(lines, line)) close();
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

// Code that is indented belongs to the item before it.
const isInList = (lines, line) => lines.length > 0 && kindOf(lines[0]) === "list" && /^ {2,}/.test(line);

const firstLineOf = block => block.split("\n", 1)[0];

function kindOf(block) {
  const line = firstLineOf(block);
  return item.test(line) ? "list" : line.startsWith(">") ? "quote" : "text";
}

// Blank lines between the items of a list do not end it, nor do indented paragraphs.
function joinLists(blocks) {
  const joined = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    const isAfterList = last !== undefined && kindOf(last) === "list" && !rule.test(firstLineOf(last));
    const isItem = kindOf(block) === "list" && !rule.test(firstLineOf(block));
    if (isAfterList && isItem && sameKindOfList(last, block)) joined[joined.length - 1] = `${last}\n${block}`;
    else if (isAfterList && !isItem && /^ {2,}\S/.test(block)) joined[joined.length - 1] = `${last}\n\n${block}`;
    else joined.push(block);
  }
  return joined;
}

function sameKindOfList(first, second) {
  const [, , bullet] = firstLineOf(first).match(item);
  const [, indent, nextBullet] = firstLineOf(second).match(item);
  return indent.length > 0 || Boolean(bullet) === Boolean(nextBullet);
}

function render(source) {
  const lines = source.split("\n");
  const opening = lines[0].match(fence);
  if (opening) return code(lines, opening[1], opening[2]);
  const title = lines[0].match(heading);
  if (title) return element(`h${Math.min(6, title[1].length + 2)}`, {}, inline(title[2]));
  if (rule.test(lines[0])) return element("hr");
  if (kindOf(lines[0]) === "list") return list(lines);
  if (kindOf(lines[0]) === "quote") return quote(lines);
  if (lines.length > 1 && lines[0].includes("|") && tableRule.test(lines[1])) return table(lines);
  return element("p", {}, inline(source));
}

function code(lines, mark, language) {
  const isClosed = lines.length > 1 && lines.at(-1).trim().startsWith(mark);
  const indent = lines[0].match(/^ */)[0].length;
  return codeBlock(lines.slice(1, isClosed ? -1 : undefined).map(line => line.slice(Math.min(indent, line.match(/^ */)[0].length))).join("\n"), language);
}

function list(lines) {
  const root = element("div");
  const open = [{ indent: -1, node: root }];
  for (let at = 0; at < lines.length; at++) {
    const found = lines[at].match(item);
    if (!found) {
      at = addToItem(open.at(-1).last, lines, at);
      continue;
    }
    const [, spaces, bullet, digits, text] = found;
    while (open.length > 1 && spaces.length < open.at(-1).indent) open.pop();
    if (spaces.length > open.at(-1).indent) {
      const node = bullet ? element("ul") : element("ol", { start: Number(digits) });
      (open.at(-1).last ?? open.at(-1).node).append(node);
      open.push({ indent: spaces.length, node });
    }
    const made = itemOf(text);
    open.at(-1).node.append(made);
    open.at(-1).last = made;
  }
  return root.children.length === 1 ? root.firstChild : root;
}

function itemOf(text) {
  const [, mark, rest] = text.match(/^\[([ xX])\] (.*)$/) ?? [];
  if (mark === undefined) return element("li", {}, inline(text));
  const isDone = mark !== " ";
  return element("li", { className: "task" },
    element("input", { type: "checkbox", checked: isDone, disabled: true, "aria-label": isDone ? "Done" : "Not done" }), inline(rest));
}

// Adds a line that begins no item, or a whole block of code, to an item. Returns the last line of it.
function addToItem(node, lines, at) {
  const opening = lines[at].match(fence);
  if (opening) {
    const length = lines.slice(at + 1).findIndex(line => line.trim() === opening[1]);
    const end = length < 0 ? lines.length - 1 : at + 1 + length;
    node?.append(code(lines.slice(at, end + 1), opening[1], opening[2]));
    return end;
  }
  const text = lines[at].trim();
  if (text && lines[at - 1]?.trim() === "") node?.append(element("p", {}, inline(text)));
  else if (text) node?.append(element("br"), inline(text));
  return at;
}

function quote(lines) {
  const inner = element("blockquote");
  new MarkdownView(inner).show(lines.map(line => line.replace(/^>+ ?/, "")).join("\n"));
  return inner;
}

function table(lines) {
  const heads = cellsOf(lines[0]);
  const sides = cellsOf(lines[1]).map(cell => cell.endsWith(":") ? cell.startsWith(":") ? "center" : "right" : "");
  const side = column => sides[column] ? { className: sides[column] } : {};
  return element("div", { className: "table-scroll", tabIndex: 0 }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((head, column) => element("th", { scope: "col", ...side(column) }, inline(head))))),
    element("tbody", {}, ...lines.slice(2).map(line =>
      element("tr", {}, ...cellsOf(line).slice(0, heads.length).map((cell, column) => element("td", side(column), inline(cell))))))));
}

// A bar after a backslash is text.
const cellsOf = line => line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map(cell => cell.replaceAll("\\|", "|").trim());
