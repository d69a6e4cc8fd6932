"""What the world outside answers in a simulated call: the CRM, web services, scripts, phones and agents.

Asked by the rehearsal. Everything comes from what was `given`; nothing here opens a connection or runs a script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cordboard.flows.conditions import Kind
from cordboard.redaction import WITHHELD
from cordboard.simulation.answer_values import answered
from cordboard.simulation.given import AgentWas, Answers, Fields, Given, HttpReply, NotReached, Serves
from cordboard.simulation.pauses import Phase
from cordboard.simulation.premises import Premises
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v

SOMEBODY = "an agent"  # of a queue whose agents nobody has written down

_PRESENCE = {"ready": "available", "pause": "paused", "log_out": "logged_out"}  # after what agents do

Rung = tuple[str, "Answers | NotReached"]
_SERVED, _ANSWERED = Serves(), Answers()
_REFUSAL_S = 1.0  # until a phone has said that it is busy


class Replies:
    """The answers of one call. used: how often each reply of a web service, and each script, was used."""

    def __init__(self, premises: Premises, given: Given) -> None:
        self._premises = premises
        self.given = given
        self.used: dict[object, int] = {}
        self._answerers: dict[type, Callable[[Any], o.Outcome | None]] = {
            v.LookUp: self._look_up,
            v.HttpRequest: self._ask_service,
            v.RunScript: self._run_script,
            v.Note: lambda _: o.Done(),
            v.RequestCallback: self._book,
            v.ActAsAgent: self._act_as_agent,
            v.Transfer: lambda _: o.Transferred(),
            v.VoicemailBox: lambda _: o.Done(),
            v.RecordCall: lambda _: o.Done(),
        }

    def answers(self, verb: v.Verb) -> bool:
        """Whether the verb is one for the world outside that has an answer at once, or has to have one given."""
        return type(verb) in self._answerers

    def to(self, verb: v.Verb) -> o.Outcome | None:
        """The answer; None if nobody has said what it is."""
        return self._answerers[type(verb)](verb)

    def _look_up(self, verb: v.LookUp) -> o.Outcome:
        number = verb.number or self.given.ani
        if number.lower() in WITHHELD:
            return o.LookedUp("withheld")
        if number in self.given.customers:
            return self._found([self.given.customers[number]])
        match self.given.crm if not verb.number or not self.given.customers else "none":
            case "none":
                return o.LookedUp("none")
            case "error":
                return o.NotLookedUp("the CRM has a fault")
            case "slow":
                return o.NotLookedUp("the CRM took too long")
            case dict() as fields:
                return self._found([fields])
            case several:
                return self._found(several)

    def _found(self, customers: Sequence[Fields]) -> o.LookedUp:
        if not customers:
            return o.LookedUp("none")
        best, *others = (_fitted(one, self._premises.around.customer_fields or {}) for one in customers)
        return o.LookedUp("several" if others else "found", best, len(customers), tuple(others))

    def _ask_service(self, verb: v.HttpRequest) -> o.Outcome | None:
        for number, reply in enumerate(self.given.http.get(verb.service, ())):
            if _fits(reply, verb) and self._is_left((verb.service, number), reply.times):
                return _http_outcome(reply, verb)
        return None

    def _is_left(self, which: object, times: int | None) -> bool:
        """Whether a reply may be used once more; if so, that is counted."""
        used = self.used.get(which, 0)
        if times is not None and used >= times:
            return False
        self.used[which] = used + 1
        return True

    def _run_script(self, verb: v.RunScript) -> o.Outcome | None:
        replies = self.given.scripts.get(verb.script, ())
        if not replies:
            return None
        used = self.used.get(verb.script, 0)
        self.used[verb.script] = used + 1
        reply = replies[min(used, len(replies) - 1)]
        if reply.fails:
            return o.ScriptFailed("it took too long" if reply.fails == "timeout" else "it raised an exception")
        shape = self._premises.around.scripts.get(verb.script)
        return o.ScriptEnded(_fitted(reply.returns, shape.returns if shape else {}))

    def _book(self, verb: v.RequestCallback) -> o.Outcome:
        word = self.given.callback
        return o.CallbackBooked("simulated") if word == "booked" else o.CallbackRefused(word)

    def _act_as_agent(self, verb: v.ActAsAgent) -> o.Outcome:
        used = self.used.get(v.ActAsAgent, 0)
        self.used[v.ActAsAgent] = used + 1
        words = self.given.agent_line
        word = words[min(used, len(words) - 1)]
        agent = self._premises.agent_who_calls(verb.code, self.given.ani) if verb.action == "log_in" else verb.agent
        if word != "done" or not agent:
            return o.AgentRefused("unknown" if word == "done" else word)
        return o.ActedAsAgent(
            agent,
            self._premises.full_name_of(agent),
            _presence_after(verb, self.given.agent_was),
            verb.value if verb.action == "pause" else "",
            wraps_up=self.given.agent_was == "wrapping_up" and verb.action in ("log_in", "extend"),
        )


def _presence_after(verb: v.ActAsAgent, was: AgentWas) -> str:
    """What an agent is after this. What is told after a call in which they have done several things is not kept."""
    if verb.action in _PRESENCE:
        return _PRESENCE[verb.action]
    return "available" if was in ("available", "wrapping_up") else "paused"


def phases_of(verb: v.Dial | v.Enqueue, given: Given, premises: Premises) -> tuple[tuple[Phase, ...], o.Outcome]:
    """How a caller waits for somebody and perhaps talks to them, and what comes of it."""
    return _dialled(verb, given) if isinstance(verb, v.Dial) else _queued(verb, given, premises)


def agent_words(verb: v.ActAsAgent) -> str:
    """What an agent who calls in does: "log_in", "pause lunch", "dispose sold"."""
    return f"{verb.action} {verb.value}".rstrip()


def targets_of(verb: v.Dial) -> tuple[str, ...]:
    """Who is rung, as the flow calls them."""
    return tuple(_name_of(target) for target in verb.targets)


def _name_of(target: v.DialTarget) -> str:
    match target:
        case v.AgentDevice(agent):
            return agent
        case v.OutsideNumber(number):
            return number
        case v.Extension(extension):
            return extension


def _dialled(verb: v.Dial, given: Given) -> tuple[tuple[Phase, ...], o.Outcome]:
    results = [(who, given.dial.get(who, _ANSWERED)) for who in targets_of(verb)]
    return _one_by_one(results, verb.ring_s) if verb.in_order else _all_at_once(results, verb.ring_s)


def _all_at_once(results: Sequence[Rung], ring_s: float) -> tuple[tuple[Phase, ...], o.Outcome]:
    """Whoever is the first to answer talks."""
    group = " + ".join(who for who, _ in results)
    answered = [(one, who) for who, one in results if isinstance(one, Answers) and one.answers_after_s <= ring_s]
    if not answered:
        reasons = [_reason(one) for _, one in results]
        reason = "no_answer" if "no_answer" in reasons else reasons[0]
        return (Phase("rings", group, _rings_s(reason, ring_s)),), o.NotConnected(reason)
    first, who = min(answered, key=lambda one: one[0].answers_after_s)
    phases = Phase("rings", group, first.answers_after_s), Phase("talks", who, first.talks_s)
    return phases, o.Connected(first.talks_s)


def _one_by_one(results: Sequence[Rung], ring_s: float) -> tuple[tuple[Phase, ...], o.Outcome]:
    """Each until one answers."""
    tried: list[Phase] = []
    reason: NotReached = "no_answer"
    for one in results:
        phases, outcome = _all_at_once([one], ring_s)
        tried += phases
        if not isinstance(outcome, o.NotConnected):
            return tuple(tried), outcome
        reason = outcome.reason
    return tuple(tried), o.NotConnected(reason)


def _reason(result: Answers | NotReached) -> NotReached:
    """Why nobody spoke; a phone that would be answered later than it rings was not answered."""
    return "no_answer" if isinstance(result, Answers) else result


def _rings_s(reason: NotReached, ring_s: float) -> float:
    return ring_s if reason == "no_answer" else _REFUSAL_S


def _queued(verb: v.Enqueue, given: Given, premises: Premises) -> tuple[tuple[Phase, ...], o.Outcome]:
    longest_s = verb.max_wait_s or premises.longest_wait_s(verb.queue)
    result = given.queues.get(verb.queue, _SERVED)
    if not isinstance(result, Serves) and result != "nobody":
        return (Phase("waits", verb.queue, 0.0),), o.NotServed(result)
    if not isinstance(result, Serves) or result.after_s > longest_s:
        return (Phase("waits", verb.queue, longest_s),), o.NotServed("max_wait")
    agent = result.agent or premises.taker(verb.queue, verb.needs, result.after_s) or SOMEBODY
    phases = Phase("waits", verb.queue, result.after_s), Phase("talks", agent, result.talks_s)
    return phases, o.Served(agent)


def _fits(reply: HttpReply, verb: v.HttpRequest) -> bool:
    return reply.path in (None, verb.path) and reply.method in (None, verb.method)


def _http_outcome(reply: HttpReply, verb: v.HttpRequest) -> o.Outcome:
    if reply.fails:
        return o.HttpFailed("no answer in time" if reply.fails == "timeout" else "no connection")
    if not 200 <= reply.status < 300:
        return o.HttpFailed(f"status {reply.status}", reply.status)
    if reply.values is not None:
        return o.HttpAnswered(reply.status, reply.values)
    return answered(reply.status, reply.answer, verb.answer)


def _fitted(fields: Fields, kinds: Mapping[str, Kind]) -> Fields:
    """Values of the types that are wanted: who writes 5 may mean 5.0."""
    return {name: float(value) if kinds.get(name) == "double" else value for name, value in fields.items()}
