// The page of flows: all of them, or with ?flow=NAME one with its picture; and above both what was refused.

import { byId, make, setText, show, whenChanged } from "./dom.js";
import { flowLine, showCalls, withoutCalls } from "./flow_line.js";
import { count, showPicture } from "./flow_picture.js";
import { watch } from "./live.js";
import { showRefusal } from "./refusal.js";

const main = byId("flows");
const query = new URLSearchParams(location.search);
const chosen = query.get("flow");

function showAll({ flows, refusal, is_traced }) {
  showRefusal(refusal);
  show(byId("list"), chosen === null);
  if (chosen === null) showList(flows.map(withoutCalls));
  else showOne(flows.find(({ name }) => name === chosen) ?? null, is_traced);
  showCalls(flows);
  main.setAttribute("aria-busy", "false");
}

const showList = whenChanged((flows) => {
  const link = ({ name }) => make("a", { href: `/flows?flow=${encodeURIComponent(name)}` }, name);
  byId("list").replaceChildren(...flows.map((flow) => make("li", {}, flowLine(flow, "h2", link(flow)))));
});

function showOne(flow, is_traced) {
  show(byId("one"), flow !== null);
  show(byId("none"), flow === null);
  setText(byId("none"), flow ? "" : "No flow of this name is live.");
  document.title = `${flow ? flow.name : "Flows"} · Cordboard`;
  if (!flow) return;
  showLine(withoutCalls(flow));
  showPicture(flow, is_traced);
}

const showLine = whenChanged((flow) => byId("one-line").replaceChildren(flowLine(flow, "h1", flow.name)));

function showFreshness({ isFresh, isHeard, age_s }) {
  main.classList.toggle("is-old", !isFresh);
  show(byId("lost"), !isFresh);
  if (isFresh) return;
  setText(
    byId("lost-what"),
    isHeard ? "The desk cannot read its database." : `It is ${Math.round(age_s)} s old. Connecting again…`,
  );
}

function choose(hours) {
  count(hours);
  query.delete("hours");
  if (hours) query.set("hours", hours);
  history.replaceState(null, "", `?${query}`);
}

byId("counts").addEventListener("click", ({ target }) => {
  if (target.dataset.hours !== undefined) choose(Number(target.dataset.hours));
});
count([24, 168].find((hours) => String(hours) === query.get("hours")) ?? 0);
watch("flows/events", showAll, showFreshness);
