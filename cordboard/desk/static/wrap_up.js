// What came of the call: a disposition and a note. While they talk it is kept; in wrap-up it ends the wrap-up.
//
// What is typed is kept in this tab until it is sent, so neither a reload loses it nor a wrap-up that ends by itself.

import { askForTime, sendResult } from "./api.js";
import { now, run, stop, duration } from "./clock.js";
import { byId, make, setText, show, whenChanged } from "./dom.js";
import * as drafts from "./drafts.js";
import { attempt } from "./toast.js";
import { capital } from "./words.js";

const KEYS = 9; // dispositions that have a key

const form = byId("wrap-up");
const note = byId("note");
const finish = byId("finish");
const moreTime = byId("more-time");
const bar = byId("wrap-bar");

let current = null;
let wrapUp_s = 0; // how long this wrap-up was when we first saw it

const buildDispositions = whenChanged(({ names }) => {
  const buttons = names.map((name, place) => {
    const button = make("button", { type: "button", "data-disposition": name });
    if (place < KEYS) {
      button.append(make("kbd", { "aria-hidden": "true" }, String(place + 1)));
      button.setAttribute("aria-keyshortcuts", String(place + 1));
    }
    button.append(capital(name));
    button.addEventListener("click", () => dispose(name));
    return button;
  });
  byId("dispositions").replaceChildren(...buttons);
});

const restoreNote = whenChanged(({ offer_id }) => {
  note.value = drafts.read(offer_id) ?? current.note;
});

export const focusNote = () => note.focus();

async function dispose(disposition) {
  const call = current;
  const typed = note.value;
  drafts.forget(call.offer_id); // first: the end of the call may be told before this is answered
  const isDone = await attempt(() => sendResult(call.offer_id, disposition, typed));
  if (!isDone) drafts.keep(call, typed);
}

export function disposeByKey(digit) {
  const name = current?.dispositions[digit - 1];
  if (isOpen() && name !== undefined) dispose(name);
}

export function extend() {
  if (isOpen() && current.can_extend) attempt(() => askForTime(current.offer_id));
}

const isOpen = () => current !== null && ["talking", "wrap_up"].includes(current.state);

// What the agent must do first, or cannot do: some queues want a result of every call, some their whole time for it.
function whatEndsIt({ needs_disposition, ends_early }) {
  if (needs_disposition) return "Choose what came of it: the next call comes after that. ";
  return ends_early ? "" : "Kept as soon as you choose. ";
}

function showCountdown(call) {
  const left = byId("wrap-left");
  const isCounting = call.state === "wrap_up" && call.wrap_up_ends_at !== null;
  show(bar, isCounting);
  if (!isCounting) return stop(left, call.state === "talking" ? "Kept as soon as you choose" : whatEndsIt(call));
  wrapUp_s = Math.max(wrapUp_s, call.wrap_up_ends_at - (call.talk_ended_at ?? now()));
  run(left, () => {
    const left_s = call.wrap_up_ends_at - now();
    bar.value = wrapUp_s > 0 ? Math.max(0, left_s / wrapUp_s) : 0;
    return `${whatEndsIt(call)}Ends by itself in ${duration(Math.ceil(left_s))}`;
  });
}

export function showWrapUp(call) {
  if (call?.offer_id !== current?.offer_id) wrapUp_s = 0;
  current = call;
  drafts.sendAllBut(call?.offer_id);
  show(form, isOpen());
  if (!isOpen()) return;
  buildDispositions({ names: call.dispositions, offer_id: call.offer_id });
  restoreNote({ offer_id: call.offer_id });
  for (const button of byId("dispositions").children) {
    button.setAttribute("aria-pressed", button.dataset.disposition === call.disposition);
  }
  setText(byId("wrap-title"), call.dispositions.length ? "What came of it?" : "Wrap-up");
  show(finish, call.state === "wrap_up" && call.ends_early && !call.needs_disposition);
  show(moreTime, call.can_extend);
  showCountdown(call);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!finish.hidden) dispose(current.disposition);
});
moreTime.addEventListener("click", extend);
note.addEventListener("input", () => drafts.keep(current, note.value));
