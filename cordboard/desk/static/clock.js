// Timers by the desk's clock: a computer whose own clock is wrong by hours still shows right durations.

const TICK_MS = 200;
const JUMP_S = 0.5;

let offset_s = null; // the desk's clock less ours
const timers = new Map();

// The desk says what time it is. What comes late says too little, so the largest offset is nearest to the truth.
export function setClock(at) {
  const found = at - Date.now() / 1000;
  const isJump = offset_s === null || Math.abs(found - offset_s) > JUMP_S;
  offset_s = isJump ? found : Math.max(found, offset_s);
}

export const now = () => Date.now() / 1000 + (offset_s ?? 0);

// Shows how long ago `since` is, or how long until `until` is, in `element`, from now on.
export function countUp(element, since) {
  run(element, () => duration(now() - since));
}

export function countDown(element, until) {
  run(element, () => duration(Math.ceil(until - now())));
}

// Shows what `tick` returns, again and again, until `element` gets another timer, is stopped or leaves the page.
export function run(element, tick) {
  const show = () => {
    const text = tick();
    if (text !== undefined && element.textContent !== text) element.textContent = text;
  };
  timers.set(element, show);
  show();
}

export function stop(element, text = "") {
  timers.delete(element);
  element.textContent = text;
}

// 0:07, 12:34, 1:02:03
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

setInterval(() => {
  for (const [element, show] of timers) {
    if (element.isConnected) show();
    else timers.delete(element);
  }
}, TICK_MS);
