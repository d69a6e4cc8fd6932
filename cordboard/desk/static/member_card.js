// One agent on the team page. The card stays while they are there, so that the focus survives every change in it.

import { countUp, duration, now, run, stop } from "./clock.js";
import { make, setText, show } from "./dom.js";
import { stateOf } from "./words.js";

const PHONES = {
  idle: "Registered",
  ringing: "Rings",
  in_use: "In use",
  busy: "In use",
  unavailable: "Not registered",
  unknown: "Not known",
};

const part = (name, tag = "span", more = "") => make(tag, { "data-part": name, class: more });

export function memberCard(agent, onChange) {
  const change = make("button", { type: "button", "aria-haspopup": "dialog" }, "Change");
  change.addEventListener("click", () => onChange(agent));
  const state = make(
    "p",
    { class: "state" },
    make("span", { class: "lamp", "aria-hidden": "true" }),
    part("word", "span", "word"),
    part("time", "span", "time"),
  );
  const facts = make("dl", {}, fact("Phone", "phone"), fact("Today", "today"), fact("Queues", "queues"));
  const head = make("header", {}, make("h2", {}, part("name")), change);
  return make("li", { class: "member card", "data-agent": agent }, head, state, part("more", "p", "small"), part("forced", "p", "small soft"), facts);
}

const fact = (words, name) => make("div", {}, make("dt", { class: "label" }, words), part(name, "dd"));

const since = (member) =>
  member.activity === "idle" ? Math.max(member.presence_since_at, member.activity_since_at) : member.activity_since_at;

// names: what people call the agents, by key.
export function showMember(card, member, names) {
  const the = (name) => card.querySelector(`[data-part="${name}"]`);
  const [state, word] = stateOf(member, null);
  card.dataset.state = state;
  setText(the("name"), member.name);
  card.querySelector("button").setAttribute("aria-label", `Change what ${member.name} is`);
  setText(the("word"), member.queue ? `${word}: ${member.queue}` : word);
  if (since(member) > 0) countUp(the("time"), since(member));
  else stop(the("time"));
  showMore(the("more"), member, state);
  const by = names.get(member.forced_by) ?? member.forced_by;
  setText(the("forced"), by && by !== "cordboard" ? `Set by ${by}` : "");
  setText(the("phone"), PHONES[member.phone] ?? member.phone);
  the("phone").title = member.device;
  the("phone").classList.toggle("alarm", member.phone === "unavailable" && member.presence !== "logged_out");
  setText(the("today"), `${member.calls_today} ${member.calls_today === 1 ? "call" : "calls"}, ${duration(member.talk_s_today)}`);
  setText(the("queues"), member.queues.join(", ") || "none");
  the("queues").title = member.queues.join(", ");
}

const AT_A_CALL = ["offered", "ringing", "talking", "wrap_up"];

// What a supervisor looks for: a pause that is over, and what was chosen for after the call.
function showMore(element, member, state) {
  if (state !== "paused" && member.presence !== "available" && AT_A_CALL.includes(member.activity)) {
    const then = member.reason ? `paused (${member.reason})` : "paused";
    return stop(element, `After this: ${member.presence === "paused" ? then : "not taking calls"}`);
  }
  if (member.pause_ends_at === null) return stop(element);
  run(element, () => {
    const left_s = member.pause_ends_at - now();
    element.classList.toggle("alarm", left_s <= 0);
    return left_s > 0 ? `${duration(Math.ceil(left_s))} left` : `Over for ${duration(-left_s)}`;
  });
}
