"""What an agent's phone of a scenario can do, whichever it is, and how one is made: baresip, or the lab's own."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Protocol

from cordboard.lab.baresip import BaresipPhone
from cordboard.lab.phone_calls import Pbx, PhoneCall
from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples, tone
from cordboard.lab.scenario_agents import AgentPart
from cordboard.lab.sip_phone import SipPhone

TONE_S = 60.0  # baresip says a file once; a talk of a scenario is shorter


class AgentPhone(Protocol):
    """What `BaresipPhone` and `SipPhone` have in common. Every wait raises LabError at its deadline."""

    calls: list[PhoneCall]

    @property
    def call(self) -> PhoneCall | None:
        """The latest call, over or not."""

    async def start(self) -> None:
        """Switch it on."""

    async def registered(self, timeout_s: float = ...) -> None:
        """Wait until the PBX knows it."""

    async def stop(self) -> None:
        """Switch it off: it hangs up and unregisters."""

    async def incoming(self, timeout_s: float = ...) -> PhoneCall:
        """Wait until it rings."""

    async def answer(self) -> None:
        """Pick up."""

    async def reject(self) -> None:
        """Refuse the ringing call with 486."""

    async def press(self, key: str) -> None:
        """Press a key in a call."""

    async def hang_up(self) -> None:
        """End the latest call."""

    async def closed(self, timeout_s: float = ...) -> PhoneCall:
        """Wait until the latest call is over."""

    def heard_last(self, seconds: float) -> Samples:
        """The end of what was heard in the latest call so far."""


def make_phone(part: AgentPart, extension: str, pbx: Pbx, tone_hz: float, folder: Path) -> AgentPhone:
    """A phone that can do what the agent has to do, and says a tone. folder: for the sound of a baresip."""
    if part.phone == "lab" or part.needs_lab_phone:
        phone = SipPhone(extension, pbx)
        phone.speak(tone(tone_hz, 1.0))
        return phone
    sound = folder / f"tone-{extension}.wav"
    write_tone(sound, tone_hz)
    return BaresipPhone(extension, pbx, speaks=sound)


def write_tone(path: Path, frequency_hz: float, seconds: float = TONE_S) -> None:
    """Write a tone as WAV: 8 kHz, mono, 16 bit."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(tone(frequency_hz, seconds).astype("<i2").tobytes())
