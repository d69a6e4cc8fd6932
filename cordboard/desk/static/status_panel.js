// Who I am, what I chose, what the system sees of me; and the buttons to choose.

import { send } from "./api.js";
import { countUp, duration, now, run, stop } from "./clock.js";
import { byId, make, setText, show, whenChanged } from "./dom.js";
import { attempt } from "./toast.js";
import { capital, stateOf } from "./words.js";

const status = byId("status");
const ready = byId("ready");
const pauses = byId("pauses");

const choose = (presence, reason = "") => attempt(() => send("PUT", "presence", { presence, reason }));

export const chooseReady = () => choose("available");
export const focusPause = () => pauses.querySelector("button")?.focus();

const buildPauses = whenChanged(({ reasons, limits }) => {
  const choices = reasons.length ? reasons : [""];
  const buttons = choices.map((reason) => {
    const button = make("button", { type: "button", "aria-pressed": "false", "data-reason": reason });
    button.append(reason ? capital(reason) : "Pause");
    for (const limit of limits[reason] ?? []) button.append(make("span", { class: "limit" }, limit));
    button.addEventListener("click", () => choose("paused", reason));
    return button;
  });
  const label = make("span", { class: "label", "aria-hidden": "true" }, "Pause ", make("kbd", {}, "P"));
  pauses.replaceChildren(label, ...buttons);
});

// The longer of two: how long in this presence, how long in this activity. While idle the presence counts. 0: never yet.
function since(me) {
  return me.activity === "idle" ? Math.max(me.presence_since_at, me.activity_since_at) : me.activity_since_at;
}

// During a call its card tells the state and the time; here stands only what comes after it.
function showState(me, call) {
  const [, , more] = stateOf(me, call);
  setText(byId("state-more"), call ? more : "");
  show(byId("state"), call === null || more !== "");
  show(byId("state-lamp"), call === null);
  show(byId("state-word"), call === null);
  if (call || me.rests_until !== null || since(me) <= 0) stop(byId("state-time"));
  else countUp(byId("state-time"), since(me));
}

// What the state means while there is no call, in the middle of the page. A rest is counted down, and over by itself.
function showIdle(me, call) {
  run(byId("idle-text"), () => {
    const [name, word, more] = stateOf(me, call, me.rests_until === null ? 0 : me.rests_until - now());
    status.dataset.state = name;
    setText(byId("state-word"), word);
    return [more || word, name === "paused" ? pauseLine(me) : ""].filter(Boolean).join(". ");
  });
}

// How much of a pause is left, or how long it is over, and what follows by itself.
function pauseLine({ pause_ends_at, pause_then }) {
  if (pause_ends_at === null) return "";
  const left_s = pause_ends_at - now();
  if (left_s <= 0) return `Your pause has been over for ${duration(-left_s)}`;
  const then = { available: "Ready again in", logged_out: "Logged out in", nothing: "Your pause ends in" }[pause_then];
  return `${then} ${duration(Math.ceil(left_s))}`;
}

// A state that somebody else has chosen is not taken for a fault, if it says who it was.
function showForced({ forced_by }) {
  const isTold = forced_by !== "" && forced_by !== "cordboard";
  show(byId("forced"), isTold);
  setText(byId("forced"), isTold ? `Set by ${forced_by}` : "");
}

export function showStatus({ me, call, pause_reasons, pause_limits }) {
  showState(me, call);
  showForced(me);
  showIdle(me, call);
  setText(byId("me-name"), me.name);
  setText(byId("me-queues"), me.queues.length ? ` · ${me.queues.join(", ")}` : "");
  byId("me-queues").title = me.queues.join(", ");
  buildPauses({ reasons: pause_reasons, limits: pause_limits });
  ready.setAttribute("aria-pressed", me.presence === "available");
  for (const button of pauses.querySelectorAll("button")) {
    const isChosen = me.presence === "paused" && me.reason === button.dataset.reason;
    button.setAttribute("aria-pressed", isChosen);
  }
}

ready.addEventListener("click", chooseReady);
