// The agent's queues: how many wait, and for how long.

import { countUp } from "./clock.js";
import { byId, make, show, whenChanged } from "./dom.js";

const build = whenChanged((queues) => {
  byId("queue-lines").replaceChildren(...queues.map(line));
});

function line({ name, waiting, longest_since_at }) {
  const since = make("span", { class: "since" }, "");
  if (longest_since_at !== null) countUp(since, longest_since_at);
  const count = make("span", { class: "count" }, waiting ? `${waiting} waiting` : "nobody waits");
  count.classList.toggle("soft", !waiting);
  return make("li", {}, make("span", {}, name), count, since);
}

export function showQueues(queues) {
  show(byId("queues"), queues.length > 0);
  build(queues);
}
