// The part of the page that scrolls with the messages. A reader at the end follows what is added, and one who reads further up stays there.

import { byId } from "./dom.js";

const scroller = byId("scroller");
const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;

// What appears below the messages must not cover their end.
let staysAtEnd = true;
scroller.addEventListener("scroll", () => { staysAtEnd = isAtEnd(); });
new ResizeObserver(() => { if (staysAtEnd) scrollToEnd(); }).observe(scroller);

/** Shows the end of the messages. */
export function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
}

/** Changes the messages, and keeps the end in view if it was. */
export function keepAtEnd(action) {
  const wasAtEnd = isAtEnd();
  action();
  if (wasAtEnd) scrollToEnd();
}
