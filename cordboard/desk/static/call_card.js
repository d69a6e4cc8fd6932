// The call: who it is, where they come from, why it is this agent's, and for how long.

import { countUp, duration, stop } from "./clock.js";
import { byId, foreign, make, setText, show, whenChanged } from "./dom.js";
import { CALL_STATES, whatToDo } from "./words.js";

const LONG = 60; // characters; a longer text has a row of its own

const card = byId("call");
const title = byId("call-title");
const fields = byId("fields");
const matches = byId("matches");
const lookup = byId("lookup");

let chosen = { offer_id: "", record: 0 }; // which of several customers the agent looks at

const showTitle = whenChanged((text) => title.replaceChildren(foreign(text)));

// The name is what the caller's own telephone says, so it stands below what the CRM knows.
const showCaller = whenChanged(({ number, caller_name }) => {
  const parts = [];
  if (number) parts.push(make("span", { class: "number" }, foreign(number)));
  if (caller_name) parts.push(make("span", {}, "calls as ", foreign(caller_name)));
  byId("call-caller").replaceChildren(...parts);
});

const showFields = whenChanged((list) => {
  fields.replaceChildren(
    ...list.map(({ label, value }) =>
      make("div", value.length > LONG ? { class: "broad" } : {}, make("dt", {}, label), make("dd", {}, foreign(value))),
    ),
  );
});

const showPath = whenChanged((path) => {
  byId("fact-path").replaceChildren(...path.map((step, place) => pathStep(step, path[place - 1])));
});

// "support/menu" as "menu", after the flow's name where the call came into that flow.
function pathStep(step, before = "") {
  const [flow, node] = step.split("/");
  if (node === undefined) return make("li", {}, foreign(step));
  if (before.split("/")[0] === flow) return make("li", {}, foreign(node));
  return make("li", {}, make("span", { class: "soft" }, flow), foreign(node));
}

const showMatches = whenChanged(({ call, record }) => {
  const { records } = call.customer;
  show(matches, records.length > 1);
  const buttons = records.map(({ title: name }, place) => {
    const button = make("button", { type: "button", "aria-pressed": place === record }, foreign(name));
    button.addEventListener("click", () => choose(call, place));
    return button;
  });
  matches.replaceChildren(...buttons);
});

function choose(call, record) {
  chosen = { offer_id: call.offer_id, record };
  showCustomer(call);
  matches.querySelectorAll("button")[record]?.focus();
}

function showCustomer(call) {
  const { records, status, title, notice } = call.customer;
  const record = chosen.offer_id === call.offer_id ? Math.min(chosen.record, records.length - 1) : 0;
  const shown = records[record] ?? { title, fields: [] };
  showTitle(shown.title);
  showCaller({ number: call.number === shown.title ? "" : call.number, caller_name: call.caller_name });
  showFields(shown.fields);
  showMatches({ call: { offer_id: call.offer_id, customer: call.customer }, record });
  setText(lookup, notice);
  show(lookup, notice !== "");
  lookup.classList.toggle("is-pending", status === "pending");
}

function showTimes(call) {
  const time = byId("call-time");
  const waited = byId("fact-wait");
  if (call.talk_ended_at !== null && call.joined_at !== null) {
    stop(time, `Talked ${duration(call.talk_ended_at - call.joined_at)}`);
  } else {
    countUp(time, call.joined_at ?? call.offered_at);
  }
  if (call.joined_at === null) countUp(waited, call.entered_at);
  else stop(waited, duration(call.joined_at - call.entered_at));
}

export function showCall(call) {
  show(card, call !== null);
  if (call === null) return;
  card.dataset.state = call.state;
  setText(byId("call-state"), CALL_STATES[call.state]);
  setText(byId("call-queue"), call.queue);
  setText(byId("to-do"), whatToDo(call));
  show(byId("to-do"), whatToDo(call) !== "");
  setText(byId("fact-dialled"), call.dialled || "–");
  setText(byId("fact-why"), call.reason || "–");
  showCustomer(call);
  showPath(call.path);
  showTimes(call);
}
