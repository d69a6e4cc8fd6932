// The agent's desk: takes what is pushed and hands it to the parts of the page.

import { send } from "./api.js";
import { showCall } from "./call_card.js";
import { byId, setText, show } from "./dom.js";
import { watch } from "./live.js";
import { showQueues } from "./queue_lines.js";
import { listen, openHelp } from "./shortcuts.js";
import { chooseReady, focusPause, showStatus } from "./status_panel.js";
import { attempt, say } from "./toast.js";
import { disposeByKey, extend, focusNote, showWrapUp } from "./wrap_up.js";
import { CALL_STATES, missed, stateOf, whatToDo } from "./words.js";

const IN_A_CALL = ["offered", "ringing", "answered", "talking"];

const NOT_NOW = "You can log out when this call is over.";

const main = byId("desk");
const logOutButton = byId("log-out");

function showAll(view) {
  const { me, call } = view;
  const [, word] = stateOf(me, call, me.rests_until === null ? 0 : 1);
  showStatus(view);
  showCall(call);
  showWrapUp(call);
  showQueues(view.queues);
  show(byId("idle"), call === null);
  main.classList.toggle("has-call", call !== null);
  main.setAttribute("aria-busy", "false");
  showLogOut(call !== null && IN_A_CALL.includes(call.state));
  setText(byId("announce"), call ? `${CALL_STATES[call.state]}: ${call.queue}. ${whatToDo(call)}` : `${word}. ${missed(me)}`);
  document.title = `${call ? `${CALL_STATES[call.state]}: ${call.queue}` : word} · Cordboard`;
}

// Not `disabled`: who comes to the button by key or by mouse is to learn why it does nothing.
function showLogOut(isInACall) {
  logOutButton.setAttribute("aria-disabled", isInACall);
  if (isInACall) logOutButton.title = NOT_NOW;
  else logOutButton.removeAttribute("title");
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
  if (logOutButton.getAttribute("aria-disabled") === "true") return say(NOT_NOW);
  if (!(await attempt(() => send("POST", "logout")))) return;
  location.replace("/login");
}

const digits = Object.fromEntries([..."123456789"].map((digit) => [digit, () => disposeByKey(Number(digit))]));

listen({ ...digits, r: chooseReady, p: focusPause, n: focusNote, m: extend, "?": openHelp });
logOutButton.addEventListener("click", logOut);
watch("events", showAll, showFreshness);
