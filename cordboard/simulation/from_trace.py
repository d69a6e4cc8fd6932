"""Turns the trace of a real call into what a flow test needs: what the call was given, and what the caller did.

Called by `cordboard test --from-trace`. Secret digits are noted as so many dots; as a flow may only ask for their
number, others of the same number stand in for them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from cordboard.flows.speaking.words import WORDS
from cordboard.flows.trace import DOT, TracedStep
from cordboard.simulation.caller_steps import HangsUp, HearsBegin, Presses, Speaks, Step, Waits
from cordboard.simulation.given import Answers, Given, HttpReply, ScriptReply, Serves
from cordboard.telephony import outcomes as o
from cordboard.telephony.call import Call

_STAND_IN = "1"  # for a secret digit
_PROMPT = re.compile(r"(?P<flow>[^/]+)/(?P<name>[^.]+)(\.[0-9]+)?\.[^.]+")
_HUNG_UP = HangsUp(hangs_up=True)


class RecordedCall:
    """The test of one call in the making. steps: what the caller did; path: the nodes it left, "support/main"."""

    def __init__(self, call: Call, zone: ZoneInfo) -> None:
        """zone: of the configuration, in which a test's time is written."""
        self.steps: list[Step] = []
        self.path: list[str] = []
        self._call = call
        self._began = call.started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        self._found: dict[str, Any] = {}  # what is given
        self._verb = ""  # the verb under way, and what was noted of it
        self._told: Mapping[str, Any] = {}
        self._node = ""
        self._readers: dict[type, Callable[[Any], None]] = {
            o.Gathered: self._gathered,
            o.NoInput: self._no_input,
            o.Recorded: self._recorded,
            o.HungUp: self._hung_up,
            o.Connected: self._connected,
            o.NotConnected: lambda outcome: self._dialled(outcome.reason),
            o.Served: lambda outcome: self._queued(Serves(agent=outcome.agent)),
            o.AgentRung: self._agent_rung,
            o.NotServed: lambda outcome: self._queued("nobody" if outcome.reason == "max_wait" else outcome.reason),
            o.LeftByKey: self._left_by_key,
            o.LookedUp: self._looked_up,
            o.NotLookedUp: lambda _: self._found.update(crm="error"),
            o.HttpAnswered: lambda outcome: self._http(
                HttpReply(status=outcome.status, values=dict(outcome.values))
            ),
            o.HttpFailed: self._http_failed,
            o.ScriptEnded: lambda outcome: self._script(ScriptReply(returns=dict(outcome.values))),
            o.ScriptFailed: lambda _: self._script(ScriptReply(fails="raises")),
            o.CallbackRefused: lambda outcome: self._found.update(callback=outcome.reason),
            o.ActedAsAgent: self._acted_as_agent,
            o.AgentRefused: lambda outcome: self._note_agent_line(outcome.reason),
            o.Failed: lambda _: self._broke(),
        }

    @property
    def given(self) -> Given:
        """What the call is given."""
        known = {"at": self._began, "ani": self._call.ani, "name": self._call.caller_name, "dnis": self._call.dnis}
        return Given.model_validate({**known, **self._found})

    def add(self, step: TracedStep) -> None:
        """One more step. Raises ValueError for a record that is none of ours."""
        given, data = step.given, step.data
        if given.kind == "fail":
            self._broke()
        elif isinstance(given.outcome, o.Interrupted):
            self._interrupted(given.keys[-len(given.outcome.digits) :])
        elif (read := self._readers.get(type(given.outcome))) is not None:
            read(given.outcome)
        self.path += [f"{flow}/{node}" for flow, node, *_ in data.get("passed", ())]
        self._verb, self._told = next(iter(data.get("verb", {}).items()), ("", {}))
        self._node = data["node"].partition("/")[2]

    # What the caller did.

    def _gathered(self, outcome: o.Gathered) -> None:
        digits = _plain(outcome.digits)[len(self._told.get("typed", "")) :]
        keys = digits + (str(self._told.get("end_key", "")) if outcome.ended_by == "end_key" else "")
        if keys:
            self.steps.append(Presses(presses=keys))

    def _left_by_key(self, outcome: o.LeftByKey) -> None:
        self.steps += [Waits(waits=1.0), Presses(presses=outcome.key)]

    def _interrupted(self, keys: str) -> None:
        self._hears_begin()
        self.steps.append(Presses(presses=_plain(keys)))

    def _no_input(self, _outcome: o.NoInput) -> None:
        self.steps.append(Waits(waits=self._told["first_digit_s"]))

    def _recorded(self, outcome: o.Recorded) -> None:
        if outcome.duration_s:
            self.steps.append(Speaks(speaks=outcome.duration_s))
        if outcome.hung_up:
            self.steps.append(_HUNG_UP)

    def _acted_as_agent(self, outcome: o.ActedAsAgent) -> None:
        """What the agent was shows in what they are after logging in."""
        self._note_agent_line("done")
        if self._told.get("action") == "log_in":
            self._found["agent_was"] = "wrapping_up" if outcome.wraps_up else outcome.presence

    def _note_agent_line(self, word: str) -> None:
        self._found.setdefault("agent_line", []).append(word)

    def _hung_up(self, _outcome: o.HungUp) -> None:
        if self._verb == "Hangup":
            return
        if self._verb in ("Enqueue", "Dial"):
            self.steps.append(Waits(waits=1.0))
        else:
            self._hears_begin()
        self.steps.append(_HUNG_UP)

    def _hears_begin(self) -> None:
        """What was being said, if it has a name."""
        said = next((name for one in self._told.get("prompts", ()) if (name := _prompt_name(one))), "")
        if said:
            self.steps.append(HearsBegin(hears_begin=said))

    # What the world outside did.

    def _connected(self, outcome: o.Connected) -> None:
        self._dialled(Answers(talks_s=outcome.talk_s))

    def _dialled(self, result: Answers | str) -> None:
        """Of a group, the first answers and the others do not."""
        for number, target in enumerate(self._told.get("targets", ())):
            who = _name_of(target)
            self._note("dial", who, result if number == 0 or isinstance(result, str) else "no_answer")

    def _queued(self, result: Serves | str) -> None:
        self._note("queues", self._told["queue"], result)

    def _agent_rung(self, outcome: o.AgentRung) -> None:
        if outcome.result == "joined":
            self._queued(Serves())

    def _looked_up(self, outcome: o.LookedUp) -> None:
        fields = dict(outcome.fields)
        if number := self._told.get("number"):
            self._note("customers", number, fields)
        elif outcome.status == "several":
            self._found["crm"] = [fields, *map(dict, outcome.others)]
        else:
            self._found["crm"] = fields if outcome.status == "found" else "none"

    def _http(self, reply: HttpReply) -> None:
        fitting = reply.model_copy(update={"path": self._told["path"], "method": self._told["method"], "times": 1})
        self._add("http", self._told["service"], fitting)

    def _http_failed(self, outcome: o.HttpFailed) -> None:
        self._http(HttpReply(status=outcome.status) if outcome.status else HttpReply(fails="timeout"))

    def _script(self, reply: ScriptReply) -> None:
        self._add("scripts", self._told["script"], reply)

    def _broke(self) -> None:
        self._found["breaks"] = (*self._found.get("breaks", ()), self._node)

    def _note(self, key: str, name: str, value: Any) -> None:
        self._found.setdefault(key, {})[name] = value

    def _add(self, key: str, name: str, value: Any) -> None:
        of_name = self._found.setdefault(key, {})
        of_name[name] = (*of_name.get(name, ()), value)


def recorded_call(call: Call, steps: Iterable[TracedStep], zone: ZoneInfo) -> RecordedCall:
    """The test that goes the way of a traced call. Raises ValueError for a trace that is none of ours."""
    recorded = RecordedCall(call, zone)
    for step in steps:
        recorded.add(step)
    return recorded


def _plain(digits: str) -> str:
    return digits.replace(DOT, _STAND_IN)


def _prompt_name(noted: object) -> str:
    """The name of a prompt that was noted as `support/welcome.en`, or as a piece of it, `support/welcome.2.en`; ""
    for a value and the words of one.
    """
    found = _PROMPT.fullmatch(noted) if isinstance(noted, str) else None
    return found["name"] if found and found["flow"] != WORDS else ""


def _name_of(target: Mapping[str, Any]) -> str:
    """What a dial target is called: `{"Extension": {"extension": "1001", ...}}`."""
    (told,) = target.values()
    return str(told.get("extension") or told.get("agent") or told.get("number"))
