"""The channel variables in which a call's position lives between two workers; the dialplan knows the same names.

Values are written by workers (`SET VARIABLE`, `MSet`) and come back as AGI arguments.
"""

from __future__ import annotations

CALL = "CORDBOARD_CALL"  # our call id
CHECKPOINT = "CORDBOARD_CP"
DONE = "CORDBOARD_DONE"  # a Q.850 number: hang up with it; or one of the two words at the end of this file
NEXT = "CORDBOARD_NEXT"  # "dial", "agent", "agents", "voicemail": what the dialplan does before a worker is back
DEVICE = "CORDBOARD_DEVICE"  # several are joined with "&"
RING_S = "CORDBOARD_RING_S"
IN_ORDER = "CORDBOARD_IN_ORDER"  # "1": each device on its own; "" all at once
SCREEN = "CORDBOARD_SCREEN"  # sounds, joined with "&", that go before pressing 1; "" joins at once
SCREENED = "CORDBOARD_SCREENED"  # the devices behind legs of our own, each of which may accept the call
SCREENED_BY = "CORDBOARD_SCREENED_BY"  # the sounds for these
CALLER_ID = "CORDBOARD_CALLER_ID"  # shown by a trunk's legs in place of the caller's own
CALLER_ID_OF = "CORDBOARD_CALLER_ID_OF"  # how the names of these legs begin
MAILBOX = "CORDBOARD_MAILBOX"
OFFER = "CORDBOARD_OFFER"  # on the caller's leg and on the agent's
PHONES = "CORDBOARD_PHONES"  # how many phones of agents are rung at once
PHONE_OF = "_CORDBOARD_PHONE_"  # with its number behind it, from 1: a device
OFFER_OF = "_CORDBOARD_OFFER_"  # and its offer; both go on to the leg that rings it
MUSIC = "CORDBOARD_MUSIC"  # the class a caller hears until joined
WHISPER = "CORDBOARD_WHISPER"  # the sound that only the agent hears, without extension; "" for none
ACCEPT_KEY = "CORDBOARD_ACCEPT_KEY"  # "" joins them as soon as the agent picks up
ACCEPT_S = "CORDBOARD_ACCEPT_S"
RETURNED = "CORDBOARD_RETURNED"  # what came of NEXT: "dial.ANSWER.16.12345", "voicemail.SUCCESS"; see `arrivals`
STUCK = "CORDBOARD_STUCK"  # how often the place was begun anew, counted by the dialplan
TRIES = "CORDBOARD_TRIES"  # 0: a worker which works has the call; otherwise attempts since, counted by the dialplan

# On a leg that we have made to call somebody back.
ORIGINATED = "CORDBOARD_ORIGINATED"  # our call id, which the leg enters with
AMD = "CORDBOARD_AMD"  # "1": what sounds like an answering machine is hung up on
CUSTOMER = "CORDBOARD_CUSTOMER"  # the device that is rung once an agent has taken the call
CUSTOMER_NUMBER = "CORDBOARD_CUSTOMER_NUMBER"
STAND_IN = "CORDBOARD_STAND_IN"  # the unique id of the leg that waits in the customer's stead

# On an agent's leg, written by the dialplan and listed by the switch.
SIDE = "CORDBOARD_SIDE"  # "agent"
CALLER_LEG = "CORDBOARD_CALLER"  # the caller's unique id
JOINED = "CORDBOARD_JOINED"  # milliseconds since 1970

DEAD_MAN = "TIMEOUT(absolute)"  # seconds until Asterisk takes the call away from a worker that does nothing
LANGUAGE = "CHANNEL(language)"

# Where a transferred call goes: the three parts of a place in the dialplan, or DEVICE if there is no context.
TO_CONTEXT = "CORDBOARD_TO_CONTEXT"
TO_EXTENSION = "CORDBOARD_TO_EXTEN"
TO_PRIORITY = "CORDBOARD_TO_PRIORITY"

RECORDING = "CORDBOARD_RECORDING"  # "on:PATH", "paused:PATH", "secret:PATH"; see `call_recording`

TO_SAFE_DESTINATION = "safe"
AWAY = "away"
