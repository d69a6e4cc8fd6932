// The team page: every agent as they are now, for supervisors, who can change what others are.

import { send } from "./api.js";
import { byId, make, setText, show, whenChanged } from "./dom.js";
import { watch } from "./live.js";
import { memberCard, showMember } from "./member_card.js";
import { attempt } from "./toast.js";
import { capital, stateOf } from "./words.js";

const main = byId("team");
const dialog = byId("change");
const queue = byId("queue");

let view = null;
const cards = new Map(); // by agent

function showAll(news) {
  view = news;
  buildQueues([...new Set(view.members.flatMap(({ queues }) => queues))].sort());
  buildCards(view.members.map(({ agent }) => agent));
  const names = new Map(view.members.map(({ agent, name }) => [agent, name]));
  for (const member of view.members) showMember(cards.get(member.agent), member, names);
  showChosen();
  show(byId("none"), view.members.length === 0);
  main.setAttribute("aria-busy", "false");
}

const buildCards = whenChanged((agents) => {
  cards.clear();
  for (const agent of agents) cards.set(agent, memberCard(agent, openChange));
  byId("members").replaceChildren(...cards.values());
});

const buildQueues = whenChanged((queues) => {
  const chosen = queue.value;
  const options = ["", ...queues].map((name) => make("option", { value: name }, name || "all"));
  queue.replaceChildren(...options);
  queue.value = queues.includes(chosen) ? chosen : "";
});

// Those of one queue, or all; and how many of them are what.
function showChosen() {
  const members = view.members.filter(({ queues }) => !queue.value || queues.includes(queue.value));
  const shown = new Set(members.map(({ agent }) => agent));
  for (const [agent, card] of cards) show(card, shown.has(agent));
  const counts = new Map();
  for (const member of members) {
    const [state, word] = stateOf({ ...member, reason: "" }, null);
    counts.set(state, { word, count: (counts.get(state)?.count ?? 0) + 1 });
  }
  buildCounts([...counts].sort());
}

const buildCounts = whenChanged((counts) => {
  const chip = ([state, { word, count }]) =>
    make("li", { "data-state": state }, make("span", { class: "lamp", "aria-hidden": "true" }), make("strong", {}, String(count)), word);
  byId("counts").replaceChildren(...counts.map(chip));
});

// -- changing what somebody is --

function openChange(agent) {
  const member = view.members.find((one) => one.agent === agent);
  if (!member) return;
  setText(byId("change-title"), `What is ${member.name} to be?`);
  const pauses = (view.pause_reasons.length ? view.pause_reasons : [""]).map((reason) => [
    "paused",
    reason,
    reason ? `Pause: ${capital(reason)}` : "Pause",
  ]);
  const choices = [["available", "", "Ready"], ...pauses, ["logged_out", "", "Logged out"]];
  byId("choices").replaceChildren(...choices.map((choice) => choiceButton(member, ...choice)));
  dialog.showModal();
}

function choiceButton(member, presence, reason, words) {
  const isNow = member.presence === presence && member.reason === reason;
  const button = make("button", { type: "button", "aria-pressed": String(isNow), "data-presence": presence }, words);
  button.addEventListener("click", async () => {
    dialog.close();
    await attempt(() => send("PUT", `team/${encodeURIComponent(member.agent)}/presence`, { presence, reason }));
  });
  return button;
}

function showFreshness({ isFresh, isHeard, age_s }) {
  main.classList.toggle("is-old", !isFresh);
  show(byId("lost"), !isFresh);
  if (isFresh) return;
  setText(
    byId("lost-what"),
    isHeard ? "The desk cannot read its database." : `It is ${Math.round(age_s)} s old. Connecting again…`,
  );
}

queue.addEventListener("change", showChosen);
watch("team/events", showAll, showFreshness);
