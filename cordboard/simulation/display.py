"""What a simulated call looks like in a terminal: what is said, which way a node is left by, what is asked outside.

Used by the simulator; shows the events of a rehearsal in their order, as lines of text for rich.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cordboard.flows.shape import NodeShape
from cordboard.simulation import events as e
from cordboard.simulation.events import Event
from cordboard.simulation.hearing import Spoken
from cordboard.simulation.premises import Premises
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.simulation.replies import agent_words, targets_of
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v

_ENDS = {
    "finished": ("the flow hung up", "green"),
    "hung_up": ("the caller hung up", "yellow"),
    "failed": ("the flow broke; a real call would go to the safe destination", "red"),
    "transferred": ("the call was transferred", "green"),
}
_INSET = 4
_CUT = 40  # characters shown of what was cut


def heading(call: Rehearsal) -> RenderableType:
    """Which flow, when, and who calls."""
    flow, given = call.premises.flows[call.events[0].flow], call.given
    lines = Text()
    lines.append(flow.name, style="bold")
    lines.append(f"  revision {flow.revision}, {_local(call.run.call.started_at)}\n", style="dim")
    caller = " ".join(filter(None, [given.name, given.ani or "a withheld number"]))
    lines.append(f"{caller} calls {call.run.call.dnis or 'this flow'}", style="dim")
    return lines


def _local(at: datetime) -> str:
    return at.strftime("%A {day} %B %Y, %H:%M %Z").format(day=at.day)


def shown(events: Sequence[Event], premises: Premises) -> Iterator[RenderableType]:
    """The events as lines."""
    for event in events:
        if (line := _line(event, premises)) is not None:
            yield line


def _said(said: Spoken, whole: bool) -> RenderableType:
    row = Table.grid(padding=(0, 2))
    row.add_column(no_wrap=True)
    row.add_column()
    words = said.words if whole else f"{said.words[:_CUT]}… (cut)"
    row.add_row(Text(said.language, style="dim"), Text(words))
    return _inset(row)


def _line(event: Event, premises: Premises) -> RenderableType | None:
    match event.what:
        case e.Heard(said, whole):
            return _said(said, whole)
        case e.Entered():
            return _node(event, premises)
        case e.Left(passed) if passed.exit:
            return _way(event, passed.exit, premises)
        case e.Broke(reason):
            return _note("✗ broke", reason, "red")
        case e.Keyed(keys, secret):
            return _note("⌨", "•" * len(keys) if secret else keys, "cyan")
        case e.KeysLost(keys, why):
            return _note(f"{keys} not heard", why, "yellow")
        case e.Silence(seconds):
            return _note("…", f"{seconds:g} s of silence", "dim")
        case e.Spoke(seconds):
            return _note("●", f"the caller speaks for {seconds:g} s", "cyan")
        case e.Waited(what, who, seconds):
            return _note("♪" if what != "talks" else "☎", _waited(what, who, seconds), "magenta")
        case e.Asked(verb, outcome) if told := _asked(verb, outcome):
            return _note("⇢", told, "blue")
        case e.CallerLeft():
            return _note("✆", "the caller hangs up", "yellow")
        case e.Ended(result, cause):
            return _end(result, cause, event.at_s)
    return None


def _note(mark: str, text: str, style: str) -> RenderableType:
    return _inset(Text.assemble((mark, style), "  ", (text, style)))


def _node(event: Event, premises: Premises) -> Text:
    verb = premises.flows[event.flow].shapes[event.node].verb
    return Text.assemble((event.node, "bold"), (f"  {verb}", "dim"))


def _way(event: Event, label: str, premises: Premises) -> RenderableType:
    shape = premises.flows[event.flow].shapes[event.node]
    target = next((one.node for one in shape.exits if one.label == label), "")
    reason = way_words(shape, label)
    return _inset(Text.assemble(("→ ", "green"), (target, "green"), (f"  {reason}" if reason else "", "dim")))


def way_words(shape: NodeShape, label: str) -> str:
    """Why this way was gone: the key, the condition; "" for the only way there is."""
    match label.split("."):
        case ["next"]:
            return ""
        case ["keys", keys]:
            return f"key {keys}"
        case ["no_input", "then"]:
            return "silence"
        case ["no_match", "then"]:
            return "wrong keys"
        case ["branch", number, "then"]:
            return f"if {shape.written['branch'][int(number)]['if']}"
    return label.replace("_", " ")


def _inset(what: RenderableType) -> RenderableType:
    return Padding(what, (0, 0, 0, _INSET), expand=False)


def _waited(what: str, who: str, seconds: float) -> str:
    if what == "talks":
        return f"talks to {who} for {seconds:g} s"
    return f"{who} rings for {seconds:g} s" if what == "rings" else f"waits in the queue {who} for {seconds:g} s"


def _asked(verb: v.Verb, outcome: o.Outcome) -> str:
    """What was asked of the world outside, and the answer; "" where other lines say it all."""
    answer = outcome_words(outcome)
    match verb:
        case v.LookUp():
            return f"CRM: {answer}"
        case v.HttpRequest():
            body = f" {verb.body}" if verb.body else ""
            query = "?" + "&".join(f"{name}={value}" for name, value in verb.query) if verb.query else ""
            return f"{verb.method} {verb.service} {verb.path}{query}{body}: {answer}"
        case v.RunScript():
            arguments = ", ".join(f"{name}={value}" for name, value in verb.arguments)
            return f"script {verb.script}({arguments}): {answer}"
        case v.Note():
            return f"{verb.kind} {verb.name}: {verb.value}"
        case v.RequestCallback():
            return f"callback to {verb.number} by {verb.queue}: {answer}"
        case v.ActAsAgent():
            return f"agent {agent_words(verb)}: {answer}"
        case v.Transfer():
            return f"transfer: {answer}"
        case v.VoicemailBox(mailbox):
            return f"the PBX's own voicemail, {mailbox}"
        case v.Record():
            return f"message: {answer}"
        case v.Dial():
            return f"{' + '.join(targets_of(verb))}: {answer}" if not isinstance(outcome, o.Connected) else ""
        case v.Enqueue():
            return answer if isinstance(outcome, o.NotServed | o.LeftByKey) else ""
    return "" if isinstance(outcome, o.Done) else answer


def outcome_words(outcome: o.Outcome) -> str:
    """An outcome, for people."""
    match outcome:
        case o.LookedUp(status, fields):
            return f"{status} {_pairs(fields.items())}".strip()
        case o.HttpAnswered(status, values):
            return f"{status} {_pairs(values.items())}".strip()
        case o.ScriptEnded(values):
            return _pairs(values.items()) or "done"
        case o.Recorded(_, duration_s):
            return f"{duration_s:g} s" if duration_s else "nothing was said"
        case o.NotConnected(reason) | o.NotServed(reason) | o.CallbackRefused(reason):
            return reason.replace("_", " ")
        case o.NotLookedUp(reason) | o.HttpFailed(reason) | o.ScriptFailed(reason) | o.Failed(reason):
            return reason
        case o.CallbackBooked():
            return "booked"
        case o.LeftByKey(key, keeps_place):
            return f"key {key}, and the place is kept" if keeps_place else f"key {key}"
        case o.AgentRefused(reason):
            return reason.replace("_", " ")
        case o.ActedAsAgent(agent, _, presence, reason):
            return f"{agent} is {presence.replace('_', ' ')}{f' ({reason})' if reason else ''}"
        case o.HungUp():
            return "the caller leaves"
    return "done"


def _pairs(values: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values)


def _end(result: e.Result, cause: str, after_s: float) -> Text:
    words, style = _ENDS[result]
    if result == "finished" and cause != "normal":
        words = f"{words} ({cause})"
    minutes, seconds = divmod(round(after_s), 60)
    return Text(f"■ {words}, after {minutes}:{seconds:02d}", style=f"bold {style}")


def variables_table(call: Rehearsal) -> RenderableType:
    """What the call knows now."""
    rows = Table(box=None, show_header=False, padding=(0, 2))
    rows.add_row("call.language", call.run.language)
    for name, value in sorted(call.run.variables.items()):
        rows.add_row(name, Text(repr(value) if isinstance(value, str) else str(value).lower()))
    for name, secret in sorted(call.run.secrets.items()):
        rows.add_row(name, Text("•" * len(secret.digits), style="dim"))
    return rows
