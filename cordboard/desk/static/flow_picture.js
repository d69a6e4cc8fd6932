// The picture of one flow: drawn by the desk, shown as an image, larger and smaller as one likes.

import { Refusal, send } from "./api.js";
import { byId, make, setText, show } from "./dom.js";

const STEP = 1.25;
const [SMALLEST, LARGEST] = [0.1, 4];
const READABLE = 0.8; // what fits the width only when smaller than this is scrolled instead

const frame = byId("frame");
const counts = byId("counts");

let flow = null;
let hours = 0;
let image = null; // the one that is shown
let scale = null; // of it; null until somebody has seen it
let newest = 0; // of the pictures asked for

const address = () => `flows/${encodeURIComponent(flow.name)}.svg${hours ? `?hours=${hours}` : ""}`;

// Shows the picture of a flow; the same again costs nothing, a new revision is drawn anew.
export function showPicture(line, is_traced) {
  const isNew = flow?.name !== line.name || flow?.revision !== line.revision;
  flow = line;
  show(counts, is_traced);
  if (isNew) draw();
}

// hours: how far back calls are counted, 0 for no counts at all.
export function count(chosen) {
  hours = chosen;
  for (const button of counts.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", Number(button.dataset.hours) === hours);
  }
  show(document.querySelector('#legend [data-look="never"]'), hours > 0);
  if (flow) draw();
}

async function draw() {
  const mine = ++newest;
  const words = `Flow ${flow.name}, revision ${flow.revision}: ${flow.nodes} nodes${hours ? ", with counts of calls" : ""}`;
  const drawn = make("img", { alt: words, src: `/api/v1/${address()}` });
  byId("alone").href = drawn.src;
  frame.classList.add("is-late");
  frame.setAttribute("aria-busy", "true");
  try {
    await drawn.decode();
    if (mine === newest) put(drawn);
  } catch {
    if (mine === newest) await explain();
  }
  if (mine !== newest) return;
  frame.classList.remove("is-late");
  frame.setAttribute("aria-busy", "false");
}

// A picture drawn anew is seen at the same place; the first one from its start, which is at the top.
function put(drawn) {
  const place = [frame.scrollLeft, frame.scrollTop];
  image = drawn;
  frame.replaceChildren(image);
  if (scale === null) {
    resize(Math.max(fitting(), READABLE));
    frame.scrollTo((image.width - frame.clientWidth) / 2, 0);
  } else {
    resize(scale);
    frame.scrollTo(...place);
  }
  const span = hours === 24 ? " with the calls of the last 24 hours" : hours ? " with the calls of the last 7 days" : "";
  setText(byId("drawn"), `Revision ${flow.revision}, drawn at ${new Date().toLocaleTimeString()}${span}.`);
}

// An image that fails says nothing; the desk says why when it is asked once more.
async function explain() {
  const answer = await send("GET", address()).catch((refusal) => refusal);
  const reason = answer instanceof Refusal ? answer.message : "The picture could not be shown. Please draw it again.";
  image = null;
  frame.replaceChildren(make("p", { id: "no-picture", class: "soft" }, reason));
  setText(byId("drawn"), "");
}

const fitting = () => Math.min(1, frame.clientWidth / image.naturalWidth);

// Keeps in the middle what is in the middle.
function resize(wanted) {
  if (!image) return;
  const before = scale ?? 1;
  scale = Math.min(LARGEST, Math.max(SMALLEST, wanted));
  const x = frame.scrollLeft + frame.clientWidth / 2;
  const y = frame.scrollTop + frame.clientHeight / 2;
  image.width = Math.round(image.naturalWidth * scale);
  frame.scrollTo((x * scale) / before - frame.clientWidth / 2, (y * scale) / before - frame.clientHeight / 2);
  setText(byId("size"), `${Math.round(scale * 100)} %`);
}

const larger = () => resize(scale * STEP);
const smaller = () => resize(scale / STEP);
const fit = () => image && resize(fitting());
const keys = { "+": larger, "=": larger, "-": smaller, 0: fit };

frame.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
byId("larger").addEventListener("click", larger);
byId("smaller").addEventListener("click", smaller);
byId("fit").addEventListener("click", fit);
byId("again").addEventListener("click", () => flow && draw());
