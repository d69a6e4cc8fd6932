// The live queue page: figures of queues, no person.

import { countUp, run, stop } from "./clock.js";
import { byId, make, setText, show, whenChanged } from "./dom.js";
import { watch } from "./live.js";
import { capital } from "./words.js";

const ORDER = [
  "idle", "offered", "ringing", "talking", "wrap_up", "paused", "busy_elsewhere", "unreachable", "logged_out",
];
const ACTIVITIES = { idle: "Ready", wrap_up: "Wrap-up", busy_elsewhere: "Phone in use", unreachable: "Phone not connected" };

const main = byId("queues");

const build = whenChanged((queues) => {
  main.replaceChildren(...queues.map(card));
  show(byId("none"), queues.length === 0);
  main.setAttribute("aria-busy", "false");
});

function card(queue) {
  const element = make("section", { class: "queue card" }, make("h2", {}, queue.name));
  element.classList.toggle("has-waiting", queue.waiting > 0);
  element.append(live(queue), level(queue), today(queue), agents(queue));
  return element;
}

function live({ waiting, longest_since_at }) {
  const longest = make("dd", { class: "big" });
  if (longest_since_at === null) stop(longest, "–");
  else countUp(longest, longest_since_at);
  return make(
    "dl",
    { class: "live" },
    make("div", {}, make("dt", { class: "label" }, "Waiting"), make("dd", { class: "big waiting" }, String(waiting))),
    make("div", {}, make("dt", { class: "label" }, "Longest wait"), longest),
  );
}

function level({ service_level, service_level_words }) {
  const share = service_level === null ? "–" : `${Math.round(service_level * 1000) / 10} %`;
  const line = make(
    "p",
    { class: "line" },
    make("span", { class: "label" }, "Service level"),
    make("span", { class: "share" }, share),
  );
  const bar = make("progress", { max: "1", value: String(service_level ?? 0), "aria-hidden": "true" });
  return make("div", { class: "level" }, line, bar, make("p", { class: "small soft" }, service_level_words));
}

function today({ offered, answered, abandoned, elsewhere }) {
  const figure = ([label, value]) =>
    make("div", {}, make("dt", { class: "label" }, label), make("dd", {}, String(value)));
  const figures = [["Offered", offered], ["Answered", answered], ["Abandoned", abandoned], ["Elsewhere", elsewhere]];
  const list = make("dl", {}, ...figures.map(figure));
  return make("div", { class: "today" }, make("h3", { class: "label" }, "Today"), list);
}

function agents({ agents: counts }) {
  const known = ORDER.filter((activity) => counts[activity]);
  const chips = known.map((activity) =>
    make(
      "li",
      { "data-activity": activity },
      make("strong", {}, String(counts[activity])),
      ACTIVITIES[activity] ?? capital(activity),
    ),
  );
  const list = chips.length ? make("ul", {}, ...chips) : make("p", { class: "soft" }, "No agent");
  return make("div", { class: "agents" }, make("h3", { class: "label" }, "Agents"), list);
}

function showFreshness({ isFresh, age_s }) {
  main.classList.toggle("is-old", !isFresh);
  show(byId("lost"), !isFresh);
  setText(byId("lost-what"), isFresh ? "" : `They are ${Math.round(age_s)} s old. Connecting again…`);
}

document.documentElement.classList.toggle("kiosk", new URLSearchParams(location.search).has("kiosk"));
run(byId("fresh"), () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
watch("queues/events", ({ queues }) => build(queues), showFreshness);
