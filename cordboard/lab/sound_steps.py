"""The steps of a scenario in which a caller hears what is no prompt: silence, sounds, tones, music.

`performer` calls them; each raises StepFailed.
"""

from __future__ import annotations

from cordboard.lab.attention import Attention, StepFailed
from cordboard.lab.following import LOUD_RMS
from cordboard.lab.hearing import Began, Sound, tone_share
from cordboard.lab.listening import GRACE_S
from cordboard.lab.music import WINDOW_S, Music
from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples
from cordboard.lab.scenario_steps import HearsMusic, HearsSilence, HearsSound, HearsTone
from cordboard.lab.timeline import prompt_names

SETTLE_S = 0.4  # a sound may run on so long into a silence that is expected
IDENTIFY_S = 0.6
TONE_S = 0.5
TONE_SHARE = 0.5


async def hear_silence(attention: Attention, step: HearsSilence) -> None:
    """Nothing, for so long from now."""
    ear, seconds = attention.listener.ear, step.hears_silence_s
    began_s = attention.call.now_s
    attention.let_go()
    while True:
        quiet_since_s = max(began_s, ear.quiet_since_s)
        if quiet_since_s > began_s + SETTLE_S:
            await _identify(attention)
            raise StepFailed(f"expected {seconds:g} s of silence, {_noise(attention, began_s)}")
        if attention.call.end is not None:
            raise StepFailed(f"expected {seconds:g} s of silence{attention.instead(seconds)}")
        if attention.call.now_s - GRACE_S >= quiet_since_s + seconds:
            return
        await attention.more(quiet_since_s + seconds + GRACE_S)


async def hear_sound(attention: Attention, step: HearsSound) -> None:
    """So much sound that is no prompt."""
    began_s, until_s = attention.call.now_s, attention.call.now_s + step.within_s
    while (heard_s := _sound_s(attention, began_s)) < step.hears_sound_s:
        if not await attention.more(until_s):
            raise StepFailed(
                f"expected {step.hears_sound_s:g} s of a sound, heard {heard_s:.1f} s"
                f"{attention.instead(step.within_s)}"
            )


async def hear_tone(attention: Attention, step: HearsTone) -> None:
    """Half a second of a tone."""
    if not await hears_tone(attention, step.hears_tone_hz, step.within_s):
        raise StepFailed(f"expected a tone of {step.hears_tone_hz:g} Hz{attention.instead(step.within_s)}")


async def hears_tone(attention: Attention, frequency_hz: float, within_s: float) -> bool:
    """Whether half a second of a tone comes in time."""
    heard, until_s = attention.call.heard, attention.call.now_s + within_s
    while not is_tone(heard.samples(max(0.0, heard.end_s - TONE_S), heard.end_s), frequency_hz):
        if not await attention.more(until_s):
            return False
    return True


def is_tone(samples: Samples, frequency_hz: float) -> bool:
    """Whether half a second is loud and mostly of this frequency."""
    is_loud = len(samples) >= TONE_S * SAMPLE_RATE_HZ and float(abs(samples).mean()) > LOUD_RMS
    return is_loud and tone_share(samples, frequency_hz) >= TONE_SHARE


async def hear_music(attention: Attention, step: HearsMusic, music: Music) -> None:
    """The PBX's music on hold, or none of it."""
    if not step.hears_music:
        await _hear_no_music(attention, step.for_s, music)
        return
    call = attention.call
    from_s, until_s = call.now_s, call.now_s + step.within_s
    while True:
        if call.heard.end_s >= from_s + WINDOW_S:
            if music.is_in(call.heard.samples(call.heard.end_s - WINDOW_S, call.heard.end_s)):
                attention.say("sound", "hears the music on hold")
                return
            from_s = call.heard.end_s - WINDOW_S / 2  # looking costs milliseconds; not each time audio comes
        if not await attention.more(until_s):
            raise StepFailed(f"expected the music on hold{attention.instead(step.within_s)}")


async def _hear_no_music(attention: Attention, seconds: float, music: Music) -> None:
    call = attention.call
    at_s = call.now_s + SETTLE_S
    await attention.let_pass(seconds + GRACE_S)
    while at_s + WINDOW_S <= call.heard.end_s:
        if music.is_in(call.heard.samples(at_s, at_s + WINDOW_S)):
            raise StepFailed(f"expected no music on hold for {seconds:g} s, heard it")
        at_s += WINDOW_S


async def _identify(attention: Attention) -> None:
    """Listen on until it is known what broke the silence: a prompt takes up to half a second to recognise."""
    until_s = attention.call.now_s + IDENTIFY_S
    while not attention.unjudged() and await attention.more(until_s):
        pass


def _noise(attention: Attention, began_s: float) -> str:
    ear = attention.listener.ear
    news = [event for event in attention.unjudged() if isinstance(event, Began)]
    what = f"{prompt_names(news[0].prompts)} begin" if news else "a sound"
    at_s = news[0].start_s if news else ear.sound_since_s or ear.quiet_since_s
    return f"heard {what} after {max(0.0, at_s - began_s):.1f} s"


def _sound_s(attention: Attention, since_s: float) -> float:
    """How much sound that is no prompt has been heard since then, one that goes on included."""
    listener = attention.listener
    sounds = [(event.start_s, event.end_s) for event in listener.events if isinstance(event, Sound)]
    if listener.ear.sound_since_s is not None:
        sounds.append((listener.ear.sound_since_s, listener.ear.quiet_since_s))
    return sum(max(0.0, end_s - max(start_s, since_s)) for start_s, end_s in sounds)
