// Keys. They act only while nothing is typed, and can be turned off: with speech input a single key may come by chance.

import { byId } from "./dom.js";

const KEPT = "shortcuts";

const help = byId("help");
const isOn = byId("shortcuts-on");

const isTyping = (target) => target.matches("input:not([type=checkbox]), textarea, select");

// actions: by key, each called with the key.
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
    if (!isOn.checked || help.open || isTyping(event.target)) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action(event.key);
  });
}

export const openHelp = () => help.showModal();

isOn.checked = localStorage.getItem(KEPT) !== "off";
isOn.addEventListener("change", () => localStorage.setItem(KEPT, isOn.checked ? "on" : "off"));
byId("help-open").addEventListener("click", openHelp);
