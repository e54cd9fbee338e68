// Elements are made here, and only from text: nothing that a model writes is ever parsed as markup.

const svgNamespace = "http://www.w3.org/2000/svg";

/** The element of the page with this id. */
export const byId = id => document.getElementById(id);

/** Makes an element. Names with a dash are attributes, others properties; strings among the children are text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Makes an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A table behind a summary: what a drawing shows, as text. `columns` are heads, a leading ">" aligns numbers. */
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

/** Puts other children into an element, and keeps its tables as open as they were. */
export function replace(parent, ...children) {
  const open = [...parent.querySelectorAll("details")].map(details => details.open);
  parent.replaceChildren(...children);
  [...parent.querySelectorAll("details")].forEach((details, index) => { details.open = open[index] ?? false; });
}

/** Says something to a screen reader. */
export function announce(text) {
  byId("announcer").textContent = text;
}
