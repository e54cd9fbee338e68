// The database of this browser: conversations and their messages. All tabs use the same one.

const name = "moeoffload";
const version = 1;
const stores = ["conversations", "messages"];

let opened = null;

/**
 * Runs an action with both stores in one transaction, and returns its result when everything is written. The action awaits nothing but
 * requests of the stores, because the transaction would end otherwise.
 */
export async function transact(mode, action) {
  const transaction = (await open()).transaction(stores, mode);
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("The transaction was aborted.", "AbortError"));
  });
  done.catch(() => {}); // The error of the action is the one to report, if there is one.
  try {
    const result = await action(...stores.map(store => transaction.objectStore(store)));
    await done;
    return result;
  } catch (error) {
    try { transaction.abort(); } catch { /* It has ended already. */ }
    throw error;
  }
}

/** Waits for a request of a store. */
export const result = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Calls a function with each record of a store or an index. */
export const forEach = (source, action) => new Promise((resolve, reject) => {
  const request = source.openCursor();
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const cursor = request.result;
    if (!cursor) return resolve();
    action(cursor.value);
    cursor.continue();
  };
});

/** The bytes that this page uses in the browser and may use, or null if the browser does not tell. */
export async function readUsage() {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    return { usage, quota };
  } catch {
    return null;
  }
}

/** Says in a sentence why something could not be kept, and what helps. */
export function explainStorage(error) {
  return error?.name === "QuotaExceededError"
    ? "The browser has no room left for conversations. Export or delete some, or free space on the disk. What you see is kept only until this tab is closed."
    : "The browser does not keep conversations here, for example because storage is blocked for this page. Copy what you want to keep before you close this tab.";
}

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("conversations", { keyPath: "id" });
      request.result.createObjectStore("messages", { keyPath: "id" }).createIndex("conversation", "conversation");
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      // A newer version of the page needs the database, or the browser's data is being cleared.
      database.onversionchange = () => database.close();
      database.onclose = () => { opened = null; };
      resolve(database);
    };
  });
  opened.catch(() => { opened = null; });
  return opened;
}
