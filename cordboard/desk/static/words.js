// What things are called on the page.

const PRESENCE = {
  available: ["ready", "Ready", "Waiting for a call"],
  paused: ["paused", "Paused", "You get no calls"],
  logged_out: ["off", "Not taking calls", "Press Ready to begin"],
};

const ACTIVITY = {
  offered: ["offered", "A call for you", "Your phone is about to ring"],
  ringing: ["ringing", "Ringing", "Answer on your phone"],
  talking: ["talking", "Talking", ""],
  wrap_up: ["wrap_up", "Wrap-up", "You get no calls until you finish"],
};

const IDLE = {
  busy_elsewhere: ["busy_elsewhere", "Phone in use", "You get calls again when your phone is free"],
  unreachable: ["unreachable", "Phone not connected", "Your phone is not registered: no call can reach you"],
};

// The state of an agent, as [its name for colours and shapes, its word, what it means for them now].
export function stateOf(me, call) {
  if (call?.state === "answered") return ["answered", "Almost there", "Listen, and accept on your phone"];
  if (ACTIVITY[me.activity]) return withPresence(me, ACTIVITY[me.activity]);
  if (me.presence === "available" && IDLE[me.activity]) return IDLE[me.activity];
  const [name, word, more] = PRESENCE[me.presence];
  if (me.presence !== "paused" || !me.reason) return [name, word, more];
  if (me.reason === "rona") return [name, "Paused", "You did not take your calls. Press Ready when you are back"];
  return [name, `Paused: ${me.reason}`, more];
}

// What was chosen during a call counts after it.
function withPresence(me, [name, word, more]) {
  if (me.presence === "available") return [name, word, more];
  const then = me.presence === "paused" ? `paused${me.reason ? ` (${me.reason})` : ""}` : "not taking calls";
  return [name, word, `After this call: ${then}`];
}

export const CALL_STATES = {
  offered: "A call for you",
  ringing: "Ringing",
  answered: "Accept on your phone",
  talking: "Talking",
  wrap_up: "Wrap-up",
};

export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll("_", " ");
