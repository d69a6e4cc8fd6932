"""The channel variables in which a call's position lives between two workers; the dialplan knows the same names.

Values are written by workers and come back with the reply to `connect`, as "variable_cordboard_call". None of them
holds a character with a meaning in FreeSWITCH's dialplan or in a dial string, those of `DIAL` apart, which is one.

How the dialplan and a worker share a call:

    the loop runs `socket`; a worker takes the call, writes where it stands, and lets go, or dies
    DONE says that it is over: "safe" and "away" (below), or a cause, which is that of the hang-up
    NEXT says what the dialplan carries out by itself; it clears NEXT, does it, sets RETURNED, and loops
    neither: the call is given to the next worker, which resumes at CHECKPOINT
"""

from __future__ import annotations

CALL = "cordboard_call"  # our call id
ORIGINATED = "cordboard_originated"  # on a leg that we have made: our call id, which it enters with
CHECKPOINT = "cordboard_checkpoint"
DNIS = "cordboard_dnis"  # what was dialled, filtered by the dialplan: digits, letters, + * #
TOKEN = "cordboard_token"  # noqa: S105 (the mark of our dialplan)
DONE = "cordboard_done"  # "", a cause ("USER_BUSY"), or one of the words at the end of this file
NEXT = "cordboard_next"  # "dial", "voicemail"
RETURNED = "cordboard_returned"  # the same word, when that is done; what came of it is in other variables
TRIES = "cordboard_tries"  # "0": a worker which works has the call; the dialplan counts its attempts from there
HELD = "cordboard_held"  # "true": a worker has the call; who finds it ended without that tells a worker of it

DIAL = "cordboard_dial"  # a whole dial string for `bridge`
JOINED = "cordboard_joined"  # microseconds since 1970, when the two were joined, and
LEFT = "cordboard_left"  # when they were parted; both written by the dialplan
SCREEN = "cordboard_screen"  # on a phone's leg: what is heard there before 1 is pressed, as one file
PICKED_UP = "cordboard_picked_up"  # "1" once a phone of `DIAL` has been picked up, joined or not
MAILBOX = "cordboard_mailbox"  # what `voicemail` takes: "default example.com 100"
TO = "cordboard_to"  # where a transferred call goes: "extension XML context"; "" for `DIAL`

OFFERS = "cordboard_offers"  # the offers whose agents' phones ring for this caller, joined with "."; "" for none
MUSIC = "cordboard_music"  # what this caller hears meanwhile
WON = "cordboard_won"  # the offer whose agent was joined; written by the agent's leg, with `JOINED`

# On an agent's leg. Its id says whose offer it is (`agent_legs`), too.
OFFER = "cordboard_offer"
CALLER_LEG = "cordboard_caller"  # the caller's unique id
WHISPER = "cordboard_whisper"  # what only the agent hears first: a file, or a moment of silence
ACCEPT_KEY = "cordboard_accept_key"  # "" joins them as soon as that has been heard
ACCEPT_MS = "cordboard_accept_ms"
KEY = "cordboard_key"  # "none" until a key was pressed; then "timeout", "accepted", "taken", or a key that refuses
SEVERAL = "cordboard_several"  # "true": other phones are rung at the same time
BEHIND = "cordboard_behind"  # the leg that rings the customer, where the caller's leg stands in for them

# On the leg of somebody who is called back, or on one that stands in for them.
CUSTOMER_NUMBER = "cordboard_customer_number"  # whose it is
DETECT = "cordboard_detect"  # "true": an answering machine is hung up on
MACHINE = "cordboard_machine"  # "true": it was one
STANDS_IN = "cordboard_stands_in"  # "true": an agent is looked for first, and then the customer rung
CUSTOMER = "cordboard_customer"  # the device that rings them then
RING_S = "cordboard_ring_s"
SHOWN = "cordboard_shown"  # the number that they see
NOT_REACHED = "cordboard_not_reached"  # "true": they did not come to the phone

RECORDING = "cordboard_recording"  # "on:PATH", "paused:PATH", "secret:PATH"; see `call_recording`

# FreeSWITCH's own, which we set.
RESUME = "socket_resume"  # true: what plays is cut when the socket closes, and the dialplan goes on at once
TERMINATORS = "playback_terminators"  # the keys that stop what is played or recorded; "none"
ZONE = "timezone"
APPEND = "RECORD_APPEND"
SAMPLE_RATE = "record_sample_rate"

SAFE = "safe"  # give the call to the safe destination
AWAY = "away"  # transferred for good: to `TO`, or else to who `DIAL` rings, and then to the safe destination

LATE = "late XML cordboard-call"  # where FreeSWITCH takes a call whose worker has done nothing for too long
ACCEPT_S = 3  # a worker that has not written anything by then does not get the call
EARLY_S = 1.5  # FreeSWITCH counts whole seconds: its timer may run out this much before what was asked for

OF_BRIDGE = ("originate_disposition", "originate_causes", "originate_failed_cause", "last_bridge_hangup_cause")
"""What FreeSWITCH's `bridge` tells of whom it rang, read by `arrivals`."""
