// Renders the Markdown of models: paragraphs, headings, lists, quotes, tables and code. Everything becomes text nodes.

import { codeBlock } from "./code.js";
import { element } from "./dom.js";
import { inline } from "./inline.js";

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
  return codeBlock(lines.slice(1, isClosed ? -1 : undefined).join("\n"), language);
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
