"""What happened in a scenario, one line for each thing: readable on a terminal, or as JSON for other programs.

0.00  Ada Lovelace   dials 5000
0.02  Ada Lovelace   answered
0.31  Ada Lovelace   hears `welcome` begin  "Thank you for calling Acme."
1.90  Ada Lovelace   heard `welcome` whole, 1.5 s (score 1.00)
"""

from __future__ import annotations

import heapq
import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO

from rich.console import Console
from rich.text import Text

from cordboard.lab.hearing import Began, Event, Heard, Sound
from cordboard.lab.prompt_book import PromptBook
from cordboard.redaction import clean

Kind = Literal[
    "scenario", "dialled", "answered", "began", "heard", "sound", "pressed", "spoke", "joined", "node", "ended",
    "phone", "agent",
]  # fmt: skip
LineKind = Kind | Literal["fault", "notice", "passed", "failed"]

NAME_WIDTH = 16
SETTLE_S = 0.8  # a prompt is recognised, and its end noticed, within this time
_COLOURS = {
    "passed": "bold green",
    "failed": "bold red",
    "fault": "red",
    "notice": "bold yellow",
    "scenario": "bold",
    "node": "cyan",
    "agent": "magenta",
    "joined": "green",
}
_DIMMED = {"began", "sound"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. at_s: since the scenario began; who: the caller or phone, "" for the scenario."""

    at_s: float
    who: str
    kind: LineKind
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """The line as one JSON object."""
        return json.dumps(
            {"at_s": round(self.at_s, 3), "who": self.who, "kind": self.kind, "text": self.text, **self.fields}
        )


Show = Callable[[Line], None]


class InOrder:
    """Shows lines in the order of their times. What is heard is known some tenths of a second after it began, so
    lines are held back until one comes that is `SETTLE_S` later; the end of a scenario lets all of them go.
    """

    def __init__(self, show: Show) -> None:
        self._show = show
        self._held: list[tuple[float, int, Line]] = []
        self._count = 0

    def __call__(self, line: Line) -> None:
        """Take a line, and show those whose time has come."""
        self._count += 1
        heapq.heappush(self._held, (line.at_s, self._count, line))
        settled_s = math.inf if line.kind in ("passed", "failed") else line.at_s - SETTLE_S
        while self._held and self._held[0][0] <= settled_s:
            self._show(heapq.heappop(self._held)[2])


def show_json(line: Line, out: TextIO | None = None) -> None:
    """Print a line as JSON."""
    print(line.as_json(), file=out or sys.stdout, flush=True)


def show_plain(line: Line, out: TextIO | None = None) -> None:
    """Print a line for people: with colours on a terminal, as text elsewhere."""
    out = out or sys.stdout
    text = as_text(line)
    if out.isatty():
        Console(file=out, soft_wrap=True, highlight=False).print(text)
    else:
        print(text.plain, file=out, flush=True)


def as_text(line: Line) -> Text:
    """A line as people read it, with its colour."""
    who = clean(line.who)
    name = who if len(who) <= NAME_WIDTH else who[: NAME_WIDTH - 1] + "…"
    text = clean(line.text) if "\n" not in line.text else line.text
    style = _COLOURS.get(line.kind, "dim" if line.kind in _DIMMED else "")
    return Text(f"{line.at_s:8.2f}  {name:<{NAME_WIDTH}}  {text}", style=style)


def prompt_names(prompts: tuple[str, ...]) -> str:
    """Prompts in words: "`welcome`", or "`welcome` or `welcome_back`" where they cannot be told apart."""
    return " or ".join(f"`{prompt}`" for prompt in prompts)


def in_words(event: Event, book: PromptBook, flow: str = "") -> str:
    """What was heard, in words. flow: whose prompts are meant where several have the same sound."""
    if isinstance(event, Began):
        prompts = _of_flow(event.prompts, flow)
        text = book.text(prompts[0])
        return f"hears {prompt_names(prompts)} begin" + (f'  "{text}"' if text else "")
    if isinstance(event, Sound):
        return f"heard a sound that is no prompt, {event.length_s:.1f} s"
    return f"heard {prompt_names(_of_flow(event.prompts, flow))} {how_far(event)} (score {event.score:.2f})"


def _of_flow(prompts: tuple[str, ...], flow: str) -> tuple[str, ...]:
    """Of prompts that cannot be told apart, those of the flow that the caller is in, as far as we know it."""
    return tuple(prompt for prompt in prompts if flow and f"/{flow}/" in prompt) or prompts


def how_far(heard: Heard) -> str:
    """How much of a prompt was heard, in words."""
    whole_s = heard.lost_s + heard.heard_s + heard.cut_s
    if heard.is_whole:
        return f"whole, {whole_s:.1f} s"
    if heard.lost_s > heard.cut_s:
        return f"without its first {heard.lost_s:.1f} s of {whole_s:.1f} s"
    return f"cut after {heard.heard_s:.1f} s of {whole_s:.1f} s"


def event_fields(event: Event) -> dict[str, Any]:
    """What was heard, as fields for JSON."""
    if isinstance(event, Sound):
        return {"start_s": round(event.start_s, 3), "length_s": round(event.length_s, 3)}
    fields: dict[str, Any] = {
        "prompts": event.prompts,
        "start_s": round(event.start_s, 3),
        "score": round(event.score, 3),
    }
    if isinstance(event, Heard):
        fields |= {"heard_s": round(event.heard_s, 3), "cut_s": round(event.cut_s, 3), "whole": event.is_whole}
    return fields
