// Elements and text. Every text goes into a text node: nothing in these pages ever parses text as markup.

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

// make("button", {class: "quiet", "aria-pressed": "true"}, "Ready", otherElement)
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function show(element, isShown) {
  element.hidden = !isShown;
}

// Text somebody else chose, isolated, so that its direction does not reorder what stands around it.
export const foreign = (text) => make("bdi", {}, text);

// Calls `build` only when `data` differs from the last time, so that focus and selection survive what did not change.
export function whenChanged(build) {
  let last;
  return (data) => {
    const key = JSON.stringify(data);
    if (key === last) return;
    last = key;
    build(data);
  };
}
