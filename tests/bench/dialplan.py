"""The dialplan of the measurement: one entrance for all, the IVR in native dialplan, and the ways to the others.

Every call enters by `bench-entry`, which notes the moment and hangs a farewell on the channel; the farewell says
how long the call took and whether the IVR came to its end. What lies between is all that differs.
"""

from __future__ import annotations

from tests.bench.sounds import LANGUAGE

ENTRY = "bench-entry"
CALLER = "bench-caller"
ENDED_EVENT = "BenchEnded"
COMPLETE = "16"  # what an IVR leaves behind that came to its end: our own dialplan notes the cause of the hang-up

HOLD_S = 120
FLOW_NUMBER, HOLD_NUMBER = "6000", "6001"

_TEMPLATE = """
exten => bench,1,NoOp()

[@ENTRY@]
exten => _[a-z]!,1,Set(BENCH_BEGAN=${STRFTIME(,,%s%6q)})
 same => n,Set(CHANNEL(language)=@LANGUAGE@)
 same => n,Set(CHANNEL(hangup_handler_push)=bench-ended,s,1)
 same => n,Goto(bench-ivr,${EXTEN},1)

[bench-ended]
exten => s,1,Set(BENCH_US=$[${STRFTIME(,,%s%6q)} - ${BENCH_BEGAN}])
 same => n,UserEvent(@ENDED_EVENT@,Us: ${BENCH_US},Mark: ${BENCH_MARK}${CORDBOARD_DONE})
 same => n,Return()

; The caller: waits, presses nothing, sends no media. Wait() would send silence.
[@CALLER@]
exten => s,1,WaitExten(@HOLD_S@)

[bench-ivr]
exten => native,1,Answer()
 same => n,Playback(@SOUNDS@/greeting)
 same => n,Read(KEY,@SOUNDS@/question,1,,1,0.05)
 same => n,Set(BENCH_MARK=@COMPLETE@)
 same => n,SayDigits(42)
 same => n,Hangup()

exten => panoramisk,1,AGI(agi://127.0.0.1:@PANORAMISK@/ivr,@SOUNDS@)
 same => n,Hangup()
exten => uvloop,1,AGI(agi://127.0.0.1:@UVLOOP@/ivr,@SOUNDS@)
 same => n,Hangup()
exten => cordboard,1,Goto(cordboard,@FLOW_NUMBER@,1)

exten => hold-panoramisk,1,AGI(agi://127.0.0.1:@PANORAMISK@/hold,@SOUNDS@)
exten => hold-uvloop,1,AGI(agi://127.0.0.1:@UVLOOP@/hold,@SOUNDS@)
exten => hold-cordboard,1,Goto(cordboard,@HOLD_NUMBER@,1)
"""


def bench_dialplan(sounds: str, panoramisk_port: int, uvloop_port: int) -> str:
    """The text for `LabPbx(extra_dialplan=...)`. sounds: the folder of the prompts."""
    values = {
        "ENTRY": ENTRY,
        "CALLER": CALLER,
        "ENDED_EVENT": ENDED_EVENT,
        "LANGUAGE": LANGUAGE,
        "COMPLETE": COMPLETE,
        "SOUNDS": sounds,
        "HOLD_S": str(HOLD_S),
        "PANORAMISK": str(panoramisk_port),
        "UVLOOP": str(uvloop_port),
        "FLOW_NUMBER": FLOW_NUMBER,
        "HOLD_NUMBER": HOLD_NUMBER,
    }
    text = _TEMPLATE
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
