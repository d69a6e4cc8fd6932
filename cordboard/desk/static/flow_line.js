// One flow in short: its name, what is live since when and why, what leads to it, its calls, its size.

import { foreign, make, setText } from "./dom.js";

const BECAUSE = {
  start: "the service started",
  reload: "a reload",
  watch: "a saved file",
  publish: "published",
  rollback: "rolled back",
};

const calls = ({ calls_today }) => (calls_today === null ? "–" : String(calls_today));

export const moment = (at) =>
  new Date(at * 1000).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// heading: "h1" or "h2"; name: text, or a link with it.
export function flowLine(flow, heading, name) {
  const element = make("div", { class: "flow card" });
  const title = make(heading, {}, name);
  if (heading === "h1") title.id = "one-title";
  element.append(
    make("div", { class: "name" }, title, make("p", { class: "small soft" }, ...liveSince(flow))),
    make(
      "dl",
      {},
      fact("Reached by", { class: "ways" }, ways(flow)),
      fact("Calls today", { class: "figure", "data-calls": flow.name }, calls(flow)),
      fact("Nodes", { class: "figure" }, String(flow.nodes)),
    ),
  );
  return element;
}

// The one figure that changes all the time, in the lines that are there.
export function showCalls(flows) {
  for (const flow of flows) {
    const figure = document.querySelector(`[data-calls="${flow.name}"]`);
    if (figure) setText(figure, calls(flow));
  }
}

// What of a flow its line is made anew for.
export const withoutCalls = (flow) => ({ ...flow, calls_today: null });

function fact(label, attributes, ...value) {
  return make("div", {}, make("dt", { class: "label" }, label), make("dd", attributes, ...value));
}

function liveSince({ since_at, by, who, message, revision }) {
  const why = [BECAUSE[by] ?? "", who ? `by ${who}` : ""].filter(Boolean).join(" ");
  const since = since_at === null ? "Live" : `Live since ${moment(since_at)}`;
  const parts = [why ? `${since}: ${why}` : since];
  if (message) parts.push(", “", foreign(message), "”");
  return [...parts, " · revision ", make("code", {}, revision)];
}

function ways({ numbers, numbers_count, is_default, reached_from }) {
  const more = numbers_count - numbers.length;
  const found = [...numbers];
  if (more > 0) found.push(`${more} more numbers`);
  if (is_default) found.push(numbers_count ? "all that are not listed" : "all numbers that are not listed");
  if (reached_from.length) found.push(`the flow${reached_from.length > 1 ? "s" : ""} ${reached_from.join(", ")}`);
  return found.join(", ") || "nothing";
}
