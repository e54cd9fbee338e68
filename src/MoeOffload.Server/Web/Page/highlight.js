// Colors for code: comments, strings, numbers and keywords. It knows what many languages have in common, and none of them exactly.

import { element } from "./dom.js";

const longest = 50_000;
const words = text => new Set(text.split(" "));

const slashes = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const hash = String.raw`#[^\n]*`;
const quoted = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const number = String.raw`\b(?:0[xX][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\w*`;
const word = String.raw`[A-Za-z_]\w*`;

const curly = words("abstract as async await bool boolean break byte case catch char class const constexpr continue decimal default defer delete do double else enum export extends extern false final finally float fn for foreach from func function get go if impl implements import in init int interface internal is let long loop match mod module mut namespace new nil null nullptr object operator out override package params private protected pub public readonly record ref return sbyte sealed select self set short sizeof static string struct super switch template this throw trait true try type typedef typeof uint ulong undefined union unsafe unsigned use using val var virtual void volatile when where while with yield");
const python = words("and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield");
const shell = words("case do done elif else esac export fi for function if in local return set then until while");
const ruby = words("begin class def do else elsif end ensure false for if in module nil not or rescue return self then true unless until when while yield");
const sql = words("add all alter and as asc between by case create delete desc distinct drop else end exists from full group having in index inner insert into is join key left like limit not null on or order outer primary references right select set table then union update values view when where with");
const json = words("true false null");

const languages = new Map();
const add = (names, keywords, comments, strings = quoted, isCaseless = false) => {
  const pattern = new RegExp([comments && `(?<comment>${comments})`, `(?<string>${strings})`, `(?<number>${number})`, `(?<word>${word})`].filter(Boolean).join("|"), "g");
  for (const name of names.split(" ")) languages.set(name, { pattern, keywords, isCaseless });
};
add("c cpp c++ cs csharp c# java js javascript jsx ts typescript tsx go rust rs swift kotlin kt scala dart php zig", curly, slashes, String.raw`"""[\s\S]*?(?:"""|$)|\`(?:\\.|[^\`\\])*\`?|${quoted}`);
add("python py", python, hash, String.raw`"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|${quoted}`);
add("sh bash shell zsh console powershell ps1 dockerfile makefile", shell, hash);
add("ruby rb", ruby, hash);
add("yaml yml toml ini", json, hash);
add("sql", sql, String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`, quoted, true);
add("json jsonc", json, slashes);
add("css scss", new Set(), String.raw`\/\*[\s\S]*?(?:\*\/|$)`);
add("html xml svg xaml", new Set(), String.raw`<!--[\s\S]*?(?:-->|$)`);

/** Returns the nodes of a text in a language. Text in an unknown language has no colors. */
export function highlight(text, name) {
  const language = text.length <= longest ? languages.get(name.toLowerCase()) : null;
  if (!language) return [text];
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(language.pattern)) {
    const kind = kindOf(match.groups, language);
    if (!kind) continue;
    nodes.push(text.slice(at, match.index), element("span", { className: kind }, match[0]));
    at = match.index + match[0].length;
  }
  return [...nodes, text.slice(at)];
}

function kindOf({ comment, string, number, word }, { keywords, isCaseless }) {
  if (comment !== undefined) return "comment";
  if (string !== undefined) return "string";
  if (number !== undefined) return "number";
  return keywords.has(isCaseless ? word.toLowerCase() : word) ? "keyword" : null;
}
