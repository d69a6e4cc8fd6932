// What things are called on the page.

const PRESENCE = {
  available: ["ready", "Ready", "Waiting for a call"],
  paused: ["paused", "Paused", "You get no calls"],
  logged_out: ["off", "Not taking calls", "Press Ready to begin"],
};

const ACTIVITY = {
  offered: ["offered", "A call for you", ""],
  ringing: ["ringing", "Ringing", ""],
  talking: ["talking", "Talking", ""],
  wrap_up: ["wrap_up", "Wrap-up", ""],
};

// How the last offer failed, as its agent lived it.
const MISSED = {
  no_answer: "Your phone rang and nobody answered",
  busy: "Your phone was busy (486)",
  rejected: "Your phone rejected the call (603)",
  unavailable: "Your phone was not available (480)",
  unregistered: "Your phone was not registered",
  declined: "You declined the call: another key than the accept key was pressed",
  no_key: "You picked up, and no accept key was pressed",
  left_whisper: "You hung up before the call was accepted",
  failed: "Your phone could not be rung",
};

const IDLE = {
  busy_elsewhere: ["busy_elsewhere", "Phone in use", "You get calls again when your phone is free"],
  unreachable: ["unreachable", "Phone not connected", "Your phone is not registered: no call can reach you"],
};

// What an agent must do on the phone for this call, "" for nothing. Without a key the two are joined at once.
export function whatToDo({ state, accept_key }) {
  if (state === "offered") return "Your phone is about to ring";
  if (state === "ringing") return accept_key ? `Answer on your phone, then press ${accept_key}` : "Answer on your phone";
  if (state === "answered") return accept_key ? `Press ${accept_key} on your phone` : "You are being joined";
  return "";
}

// The state of an agent, as [its name for colours and shapes, its word, what it means for them now]. rest_s: how long
// they rest after an offer that failed, 0 if they do not.
export function stateOf(me, call, rest_s = 0) {
  if (call?.state === "answered") return withPresence(me, ["answered", CALL_STATES.answered, ""]);
  if (ACTIVITY[me.activity]) return withPresence(me, ACTIVITY[me.activity]);
  if (me.presence === "available" && IDLE[me.activity]) return IDLE[me.activity];
  if (rest_s > 0) return ["resting", "Short rest", `${missed(me)}Next call in ${Math.ceil(rest_s)} s`];
  const [name, word, more] = PRESENCE[me.presence];
  if (me.presence !== "paused" || !me.reason) return [name, word, more];
  if (me.reason === "rona") return [name, "Paused: calls missed", `${missed(me)}Press Ready when you are back`];
  return [name, `Paused: ${me.reason}`, more];
}

export const missed = (me) => (MISSED[me.missed] ? `${MISSED[me.missed]}. ` : "");

// What was chosen during a call counts after it.
function withPresence(me, [name, word, more]) {
  if (me.presence === "available") return [name, word, more];
  const then = me.presence === "paused" ? `paused${me.reason ? ` (${me.reason})` : ""}` : "not taking calls";
  return [name, word, `After this call: ${then}`];
}

export const CALL_STATES = {
  offered: "A call for you",
  ringing: "Ringing",
  answered: "Almost there",
  talking: "Talking",
  wrap_up: "Wrap-up",
};

export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll("_", " ");
