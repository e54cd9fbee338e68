// Writes conversations, and tells once if that does not work.

import { explainStorage } from "./database.js";
import * as toast from "./toast.js";

let told = null;

/** Runs an action that writes. */
export async function keep(action) {
  try {
    await action();
    told = null;
  } catch (error) {
    tellProblem(error);
  }
}

/** Tells why something could not be kept. Nothing else would be heard if each attempt told the same problem. */
export function tellProblem(error) {
  if (told !== error.name) toast.showProblem(explainStorage(error));
  told = error.name;
}
