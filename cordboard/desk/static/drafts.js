// Notes that are typed and not sent yet, kept by this tab. One whose call is over is sent by itself.

import { sendResult } from "./api.js";

const PREFIX = "note:";

const keys = () => Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));

export const read = (offer_id) => JSON.parse(sessionStorage.getItem(PREFIX + offer_id) ?? "null")?.note;

// What another tab has sent is not sent again by this one.
const others = new BroadcastChannel("notes");
others.addEventListener("message", ({ data }) => sessionStorage.removeItem(PREFIX + data));

export function forget(offer_id) {
  sessionStorage.removeItem(PREFIX + offer_id);
  others.postMessage(offer_id);
}

export function keep({ offer_id, disposition }, note) {
  sessionStorage.setItem(PREFIX + offer_id, JSON.stringify({ note, disposition }));
}

// The wrap-up of these calls has ended by itself: their notes go with what was chosen before.
export async function sendAllBut(offer_id) {
  for (const key of keys().filter((one) => one !== PREFIX + offer_id)) {
    const { note, disposition } = JSON.parse(sessionStorage.getItem(key));
    forget(key.slice(PREFIX.length));
    await sendResult(key.slice(PREFIX.length), disposition, note).catch(() => {});
  }
}
