// The agent's desk: takes what is pushed and hands it to the parts of the page.

import { send } from "./api.js";
import { showCall } from "./call_card.js";
import { byId, setText, show } from "./dom.js";
import { watch } from "./live.js";
import { showQueues } from "./queue_lines.js";
import { listen, openHelp } from "./shortcuts.js";
import { chooseReady, focusPause, showStatus } from "./status_panel.js";
import { attempt } from "./toast.js";
import { disposeByKey, focusNote, showWrapUp } from "./wrap_up.js";
import { CALL_STATES, stateOf } from "./words.js";

const IN_A_CALL = ["offered", "ringing", "answered", "talking"];

const main = byId("desk");

function showAll(view) {
  const { me, call } = view;
  const [, word, more] = stateOf(me, call);
  showStatus(view);
  showCall(call);
  showWrapUp(call);
  showQueues(view.queues);
  show(byId("idle"), call === null);
  setText(byId("idle-text"), more || word);
  main.classList.toggle("has-call", call !== null);
  main.setAttribute("aria-busy", "false");
  byId("log-out").disabled = call !== null && IN_A_CALL.includes(call.state);
  setText(byId("announce"), call ? `${CALL_STATES[call.state]}: ${call.queue}` : word);
  document.title = `${call ? `${CALL_STATES[call.state]}: ${call.queue}` : word} · Cordboard`;
}

function showFreshness({ isFresh, isHeard }) {
  main.classList.toggle("is-old", !isFresh);
  setText(
    byId("lost-what"),
    isHeard ? "The desk cannot read its database." : "The connection to the desk is lost. Connecting again…",
  );
  show(byId("lost"), !isFresh);
}

async function logOut() {
  if (!(await attempt(() => send("POST", "logout")))) return;
  location.replace("/login");
}

const digits = Object.fromEntries([..."123456789"].map((digit) => [digit, () => disposeByKey(Number(digit))]));

listen({ ...digits, r: chooseReady, p: focusPause, n: focusNote, "?": openHelp });
byId("log-out").addEventListener("click", logOut);
watch("events", showAll, showFreshness);
