"""The steps of a scenario in which a caller hears prompts. `performer` calls them; each raises StepFailed."""

from __future__ import annotations

from cordboard.lab.attention import Attention, StepFailed
from cordboard.lab.hearing import Began, Heard
from cordboard.lab.scenario_steps import Hears, HearsBegin, HearsCut
from cordboard.lab.timeline import how_far, prompt_names


async def hear(attention: Attention, step: Hears) -> None:
    """Each prompt whole, in this order."""
    for name in step.hears:
        key = attention.key(name)
        heard = await _hear_end(attention, key, step.within_s, step.ignoring_others)
        if not heard.is_whole:
            raise StepFailed(f"expected `{key}` whole, heard it {how_far(heard)}")


async def hear_cut(attention: Attention, step: HearsCut) -> None:
    """The prompt cut short."""
    key = attention.key(step.hears_cut)
    heard = await _hear_end(attention, key, step.within_s, ignoring_others=False, also_interrupted=True)
    if heard.is_whole:
        raise StepFailed(f"expected `{key}` to be cut short, heard it {how_far(heard)}")


async def hear_begin(attention: Attention, step: HearsBegin) -> None:
    """The prompt begins."""
    key = attention.key(step.hears_begin)
    until_s = attention.call.now_s + step.within_s
    while True:
        event = await attention.next_event(until_s)
        if event is None:
            raise StepFailed(f"expected `{key}` to begin{attention.instead(step.within_s)}")
        if isinstance(event, Began) and key in event.prompts:
            attention.playing = event
            return
        if isinstance(event, Began) and not step.ignoring_others:
            raise StepFailed(f"expected `{key}` to begin, heard {prompt_names(event.prompts)} begin")


async def _hear_end(
    attention: Attention, key: str, within_s: float, ignoring_others: bool, also_interrupted: bool = False
) -> Heard:
    """The next time a prompt ends. also_interrupted: also one that began before and was cut short since."""
    until_s = max(attention.call.now_s + within_s, attention.ends_before_s(attention.playing))
    while True:
        event = await attention.next_event(until_s)
        if event is None:
            raise StepFailed(f"expected `{key}`{attention.instead(within_s)}")
        if isinstance(event, Began):
            until_s = max(until_s, attention.ends_before_s(event))
        elif isinstance(event, Heard):
            was_playing = attention.is_playing(event)
            attention.playing = None if was_playing else attention.playing
            if was_playing and not (key in event.prompts and (event.is_whole or also_interrupted)):
                continue
            if key in event.prompts:
                return event
            if not ignoring_others:
                raise StepFailed(f"expected `{key}`, heard {prompt_names(event.prompts)} ({how_far(event)})")
