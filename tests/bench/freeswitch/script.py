"""The call that every program handles: the same applications, asked for with the same commands. Pure."""

from __future__ import annotations

PLACE = "bench_place"  # a channel variable: how far the call has come
PLAYED_MS = 20
ROUNDS = 4
DONE = str(ROUNDS)
LINGER_S = 5
LAST_EVENT = "CHANNEL_HANGUP_COMPLETE"

# (application, argument) in their order; behind the last one the call has ended
STEPS = (
    ("answer", ""),
    *(
        step
        for number in range(1, ROUNDS + 1)
        for step in (("playback", f"silence_stream://{PLAYED_MS}"), ("set", f"{PLACE}={number}"))
    ),
)
END = ("hangup", "NORMAL_CLEARING")

# What a program asks for before its first application. `esl_apps` does so by itself; the others copy it.
EVENTS = "CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE DTMF"


def opening(leg_id: str) -> list[str]:
    """The commands behind `connect`, once it is known whose call it is."""
    return [f"filter Unique-ID {leg_id}", f"event plain {EVENTS}"]
