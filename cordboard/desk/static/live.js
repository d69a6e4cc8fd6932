// What the desk pushes. Every snapshot is whole, so a page that was away is right again after the first one.
//
// The browser connects again by itself when the stream breaks, but not when it was refused (the desk was starting, the
// log-in is over), and it does not notice a network that swallows everything. Both are seen to here. So is an upgrade
// of the desk: a page that stays open would read what is new by its old rules, and loads itself anew.

import { setClock } from "./clock.js";

const OLD_S = 5; // then figures are called old
const SILENCE_MS = 8000; // then the connection is made anew
const AGAIN_MS = 1500;

// onSnapshot(view): what to show; onFreshness({isFresh, isHeard, age_s}): how far it can be trusted, each second.
export function watch(path, onSnapshot, onFreshness) {
  let source = null;
  let pages = null; // of which upgrade this page is
  let heardAt = performance.now();
  let readAge_s = 0; // how old the last reading was when we heard of it; the page itself has just been loaded
  let readHeardAt = performance.now();

  function hear(event) {
    const message = JSON.parse(event.data);
    pages ??= message.pages ?? null;
    if (message.pages && message.pages !== pages) return location.reload();
    heardAt = performance.now();
    setClock(message.at);
    if (message.read_at !== null) {
      readAge_s = message.at - message.read_at;
      readHeardAt = heardAt;
    }
    if (message.view) onSnapshot(message.view);
    tell();
  }

  function tell() {
    const now = performance.now();
    const age_s = readAge_s + (now - readHeardAt) / 1000;
    onFreshness({ isFresh: age_s <= OLD_S, isHeard: now - heardAt <= OLD_S * 1000, age_s });
  }

  function connect() {
    source?.close();
    source = new EventSource(`/api/v1/${path}`);
    source.addEventListener("snapshot", hear);
    source.addEventListener("beat", hear);
    source.addEventListener("over", () => {
      source.close();
      location.reload(); // the desk knows which page this person may see now
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(connectIfLoggedIn, AGAIN_MS);
    });
  }

  async function connectIfLoggedIn() {
    const answer = await fetch(`/api/v1/${path.replace(/\/?events$/, "") || "snapshot"}`, { cache: "no-store" }).catch(
      () => null,
    );
    if (answer?.status === 401) leave(`/login${location.pathname === "/" ? "" : `?to=${location.pathname.slice(1)}`}`);
    else if (answer?.status === 403) leave("/"); // no admin any more
    else connect();
  }

  function leave(page) {
    source.close();
    location.replace(page);
  }

  setInterval(() => {
    tell();
    if (performance.now() - heardAt < SILENCE_MS) return;
    heardAt += SILENCE_MS / 2; // not again at once
    connect();
  }, 1000);
  connect();
}
