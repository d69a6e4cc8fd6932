"""The simulator: a person plays a caller in the terminal, one line at a time.

Started by `cordboard simulate`. Lines come from a keyboard or from a pipe. What is typed is read here, what happens
is shown by `display`, what it means for the call is the session's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from cordboard.config.scalars import plain_value
from cordboard.simulation.display import heading, shown, variables_table
from cordboard.simulation.events import Entered
from cordboard.simulation.expectations import path_of
from cordboard.simulation.given import HttpReply, ScriptReply
from cordboard.simulation.pauses import Listening, Recording, Unanswered, Waiting
from cordboard.simulation.rehearsal import Impossible
from cordboard.simulation.session import Session
from cordboard.simulation.written_tests import add_to, is_taken, written_test
from cordboard.telephony.verbs import KEYS, HttpRequest, RunScript

MESSAGE_S = 8.0  # a short message, if nobody says how long it is

_HELP = """\
  1 2 0 * #   keys; one line is one entry: a menu's key, or a whole number
  Enter       silence; while waiting for somebody: go on
  h           hang up now
  h welcome   hang up while `welcome` was being said
  b           back to before the last thing you did
  v  p        the variables; the path so far
  s NAME      save this call as a flow test
  q           quit"""


class Terminal:
    """One person at one call. lines: what they type; tests: the file where calls are saved as tests."""

    def __init__(self, session: Session, console: Console, read: Callable[[str], str | None], tests: Path) -> None:
        self._session = session
        self._console = console
        self._read = read
        self._tests = tests
        self._shown = 0
        self._commands: dict[str, Callable[[str], None]] = {
            "h": self._hang_up,
            "b": self._back,
            "v": self._variables,
            "p": self._path,
            "s": self._save,
            "?": self._help,
        }

    def run(self) -> None:
        """Play until the person has had enough, or there are no more lines."""
        self._console.print(heading(self._session.call))
        self._console.print(Text("? for help\n", style="dim"))
        while True:
            self._show()
            line = self._read(self._prompt())
            if line is None:
                self._play_out()
                return
            if line.strip() == "q" or (self._session.call.is_over and not line.strip()):
                return
            self._obey(line.strip())

    def _show(self) -> None:
        """What has happened since."""
        call = self._session.call
        for line in shown(call.events[self._shown :], call.premises):
            self._console.print(line)
        self._shown = len(call.events)

    def _prompt(self) -> str:
        match self._session.call.pause:
            case None:
                return "over; s NAME saves it as a test, b goes back, Enter quits> "
            case Listening():
                return "keys> "
            case Recording(verb=verb, spoken_s=spoken_s):
                return _recording_prompt(spoken_s, verb.end_key)
            case Waiting() as waiting:
                return f"{_waiting_words(waiting)}; Enter goes on> "
            case Unanswered(verb):
                return _question(verb)
        return "> "

    def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        try:
            if word in self._commands:
                self._commands[word](rest.strip())
            elif self._session.call.is_over:
                self._say("the call is over; `b` goes back one step")
            else:
                self._act(line)
        except Impossible as fault:
            self._say(str(fault))

    def _act(self, line: str) -> None:
        pause = self._session.call.pause
        if isinstance(pause, Unanswered):
            self._answer(pause.verb, line)
        elif isinstance(pause, Recording):
            self._record(pause, line)
        elif not line:
            self._session.do_nothing()
        else:
            self._press(line)

    def _press(self, line: str) -> None:
        """Keys; several entries may stand on one line."""
        for keys in line.split():
            if not set(keys) <= set(KEYS):
                self._say(f"`{keys}` is neither a key nor a command; ? for help")
                return
            if self._session.call.is_over:
                self._say(f"the call was over before {keys}")
                return
            self._session.press(keys)

    def _record(self, pause: Recording, line: str) -> None:
        if line == pause.verb.end_key:
            self._session.press(line)
        elif not line and pause.spoken_s:
            self._session.do_nothing()
        elif line and not line.replace(".", "", 1).isdecimal():
            self._say(f"`{line}` is no number of seconds")
        elif line and not float(line):
            self._session.do_nothing()
        else:
            self._session.speak(float(line or MESSAGE_S))

    def _answer(self, verb: HttpRequest | RunScript, line: str) -> None:
        reply = _reply(verb, line)
        if reply is None:
            self._say("write an answer as JSON, a status like 503, name=value, or timeout")
        else:
            self._session.answer(reply)

    # Commands; what they show is not part of the call.

    def _hang_up(self, prompt: str) -> None:
        if prompt:
            self._session.hang_up_during(prompt)
            self._shown = _last_node(self._session)
        elif self._session.call.is_over:
            self._say("the call is over already")
        else:
            self._session.hang_up()

    def _back(self, _rest: str) -> None:
        if not self._session.back():
            self._say("this is the beginning")
            return
        self._say("back")
        self._shown = _last_node(self._session)

    def _variables(self, _rest: str) -> None:
        self._console.print(variables_table(self._session.call))

    def _path(self, _rest: str) -> None:
        self._console.print(Text(" → ".join(path_of(self._session.call))))

    def _save(self, name: str) -> None:
        call = self._session.call
        if not call.is_over:
            self._say("finish the call first: a test is a call from beginning to end (h hangs up)")
            return
        name = name or (self._read("name of the test> ") or "").strip()
        if not name:
            return
        if is_taken(self._tests, name):
            self._say(f"there is a test called `{name}` in {self._tests} already; take another name")
            return
        test = written_test(name, call, self._session.steps, self._session.language)
        add_to(self._tests, call.events[0].flow, test)
        self._console.print(Text(test, style="dim"))
        self._say(f"written to {self._tests}")

    def _help(self, _rest: str) -> None:
        self._console.print(Text(_HELP, style="dim"))

    def _play_out(self) -> None:
        """There are no more lines: the caller stays silent until the call is over."""
        call = self._session.call
        try:
            while not call.is_over and not isinstance(call.pause, Unanswered):
                self._session.do_nothing()
        except Impossible as fault:
            self._say(str(fault))
        self._show()

    def _say(self, text: str) -> None:
        self._console.print(Text(f"  {text}", style="yellow"))


def _recording_prompt(spoken_s: float, end_key: str) -> str:
    ending = f"{end_key} or silence ends it" if end_key else "silence ends it"
    if spoken_s:
        return f"recording, {spoken_s:g} s so far: seconds to speak on, Enter for silence, {ending}> "
    return f"recording: Enter speaks for {MESSAGE_S:g} s, or write for how many; 0 is silence> "


def _waiting_words(waiting: Waiting) -> str:
    phase = waiting.phase
    if phase.what == "talks":
        return f"{phase.who} is on the line"
    return f"{phase.who} is ringing" if phase.what == "rings" else f"waiting in the queue {phase.who}"


def _question(verb: HttpRequest | RunScript) -> str:
    """What to answer, with the values that are wanted."""
    if isinstance(verb, RunScript):
        return f"script {verb.script} returns (name=value, or raises, timeout)> "
    wanted = ", ".join(f"{one.name}=…" for one in verb.answer) or "JSON"
    return f"{verb.method} {verb.service} {verb.path} answers ({wanted}, or a status, timeout)> "


def _reply(verb: HttpRequest | RunScript, line: str) -> HttpReply | ScriptReply | None:
    """What was typed, as a reply; None if it is none."""
    model: type[HttpReply] | type[ScriptReply] = ScriptReply if isinstance(verb, RunScript) else HttpReply
    written = _written_reply(line, "returns" if isinstance(verb, RunScript) else "values")
    try:
        return model.model_validate(written) if written is not None else None
    except ValidationError:
        return None


def _written_reply(line: str, values: str) -> dict[str, Any] | None:
    if line in ("timeout", "refused", "raises"):
        return {"fails": line}
    if line.isdecimal():
        return {"status": int(line)}
    if line.startswith(("{", "[")):
        try:
            return {"returns" if values == "returns" else "answer": json.loads(line)}
        except json.JSONDecodeError:
            return None
    pairs = [pair.partition("=") for pair in line.split()]
    if not pairs or not all(mark for _, mark, _ in pairs):
        return {values: {}} if not line else None
    return {values: {name: plain_value(value) for name, _, value in pairs}}


def _last_node(session: Session) -> int:
    """From where to show again: the last node that the call came to."""
    events = session.call.events
    entered = (number for number in range(len(events) - 1, -1, -1) if isinstance(events[number].what, Entered))
    return next(entered, 0)
