// The log-in page: sends name and password, and goes on to the page that was asked for.

import { send } from "./api.js";
import { byId, setText, show } from "./dom.js";

const PAGES = new Map([["queues", "/queues"], ["flows", "/flows"], ["team", "/team"]]);

const refusal = byId("refusal");
const enter = byId("enter");

async function logIn(event) {
  event.preventDefault();
  enter.disabled = true;
  try {
    await send("POST", "login", { agent: byId("agent").value, password: byId("password").value });
    location.replace(PAGES.get(new URLSearchParams(location.search).get("to")) ?? "/");
  } catch (error) {
    setText(refusal, error.message);
    show(refusal, true);
    byId("password").value = "";
    byId("password").focus();
    enter.disabled = false;
  }
}

byId("login").addEventListener("submit", logIn);
