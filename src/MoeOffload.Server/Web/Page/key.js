// The API key of the server, which is kept until this tab is closed.

import { byId } from "./dom.js";
import { session } from "./kept.js";

const keyName = "moeoffload.key";
let asking = null;

/** Returns the key, or null. */
export const readKey = () => session.getItem(keyName);

/**
 * Asks for another key than one that was rejected, and returns whether there is one. If several requests are rejected at the same time, the
 * user is asked once. Requests that were rejected with an older key use the newer one.
 */
export async function askForKey(refused) {
  if (readKey() !== refused) return true;
  asking ??= showKeyDialog().finally(() => { asking = null; });
  return asking;
}

function showKeyDialog() {
  const dialog = byId("key-dialog");
  const field = byId("key");
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise(resolve => {
    byId("key-cancel").onclick = () => dialog.close();
    byId("key-form").onsubmit = () => session.setItem(keyName, field.value);
    let before = session.getItem(keyName);
    dialog.onclose = () => resolve(session.getItem(keyName) !== before && field.value.length > 0);
  });
}
