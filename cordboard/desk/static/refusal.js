// What was refused: every fault with its place, for as long as it is not mended.

import { moment } from "./flow_line.js";
import { byId, foreign, make, setText, show, whenChanged } from "./dom.js";

const WHAT = {
  reload: "A reload was refused",
  watch: "A saved file was refused",
  publish: "What was to be published was refused",
  rollback: "A rollback was refused",
};

export const showRefusal = whenChanged((refusal) => {
  show(byId("refusal"), refusal !== null);
  if (refusal === null) return;
  setText(byId("refusal-title"), `${WHAT[refusal.by] ?? "The files were refused"}, ${moment(refusal.at)}`);
  const reason = refusal.message ? [make("li", {}, foreign(refusal.message))] : [];
  byId("faults").replaceChildren(...reason, ...refusal.faults.map(line));
  const more = refusal.faults_count - refusal.faults.length;
  show(byId("more-faults"), more > 0);
  setText(byId("more-faults"), `And ${more} more: cordboard lint lists them all.`);
});

function line({ place, code, message, hint }) {
  const item = make("li", {}, make("code", {}, place), foreign(message), make("span", { class: "soft" }, ` [${code}]`));
  if (hint) item.append(make("span", { class: "hint soft" }, foreign(hint)));
  return item;
}
