// One sentence about what did not work, for a few seconds.

import { byId, setText, show } from "./dom.js";

const SHOWN_MS = 8000;

const toast = byId("toast");
let hiding;

export function say(sentence) {
  setText(toast, sentence);
  show(toast, true);
  clearTimeout(hiding);
  hiding = setTimeout(() => show(toast, false), SHOWN_MS);
}

// Does `work` and returns whether it was done. Who is not logged in any more goes to the log-in page.
export async function attempt(work) {
  try {
    await work();
    show(toast, false);
    return true;
  } catch (refusal) {
    if (refusal.status === 401) location.replace("/login");
    say(refusal.message);
    return false;
  }
}
