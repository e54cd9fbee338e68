// Elements are created only here and only from text, so that the output of a model is never parsed as markup.

const svgNamespace = "http://www.w3.org/2000/svg";

/** Returns the element of the page with this id. */
export const byId = id => document.getElementById(id);

/** Creates an element. Names with a dash are attributes, and other names are properties. Strings among the children become text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Creates an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Creates a collapsed table with the content of a drawing as text. `columns` are the headers; a leading ">" aligns numbers to the right. */
export function dataTable(summary, columns, rows) {
  const isNumber = columns.map(column => column.startsWith(">"));
  const cell = (tag, text, column, properties = {}) =>
    element(tag, { className: isNumber[column] ? "number" : "", ...properties }, text);
  return element("details", { className: "data" },
    element("summary", {}, summary),
    element("table", {},
      element("thead", {}, element("tr", {},
        ...columns.map((column, index) => cell("th", column.replace(">", ""), index, { scope: "col" })))),
      element("tbody", {}, ...rows.map(row => element("tr", {},
        ...row.map((text, index) => index === 0 ? cell("th", text, index, { scope: "row" }) : cell("td", text, index)))))));
}

/** Replaces the children of an element, and keeps its open tables open. */
export function replace(parent, ...children) {
  const open = [...parent.querySelectorAll("details")].map(details => details.open);
  parent.replaceChildren(...children);
  [...parent.querySelectorAll("details")].forEach((details, index) => { details.open = open[index] ?? false; });
}

/** Announces a text to screen readers. */
export function announce(text) {
  byId("announcer").textContent = text;
}
