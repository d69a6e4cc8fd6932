"""The switch that the recordings were made on: its dialplan and its phones, as a fake FreeSWITCH has them.

Contexts are left out: no number is in two. The phones were extensions of the same switch; here they are parts.
"""

from __future__ import annotations

from tests.doubles.fake_freeswitch.dialplan import Dialplan

FIRST, SECOND, ALONE = "127.0.0.1:8184", "127.0.0.1:8185", "127.0.0.1:8084"
MUSIC = "playback tone_stream://%(1000,0,600);loops=-1"
TURN = ("playback tone_stream://%(300,0,600)", "transfer $1 XML jt")
BOTH = f"socket {FIRST}|{SECOND} async full"
WHISPER = "tone_stream://%(3000,0,1300) silence_stream://100"
JOIN = ("intercept ${join_uuid}", "set after_intercept=reached", "hangup NORMAL_CLEARING")
SAFE_JOIN = (
    "set ignored=${uuid_setvar(${join_uuid} socket_resume false)}",
    "set ignored=${uuid_setvar(${join_uuid} park_after_bridge false)}",
    "set ignored=${uuid_setvar(${join_uuid} transfer_after_bridge 7100:XML:jt)}",
)
AFTER_SOCKET = (
    "set after_socket=reached",
    "log NOTICE dialplan continued after socket app (async), uuid=${uuid}",
    "playback tone_stream://%(200,100,600);loops=3",
    "hangup NORMAL_TEMPORARY_FAILURE",
)

DIALPLAN = Dialplan(
    {
        "5000": (f"socket {ALONE} async full", *AFTER_SOCKET),
        "7000": (f"socket {FIRST} async full", MUSIC),
        "(7100)": ("answer", "set socket_resume=true", BOTH, *TURN),
        "(7101)": ("answer", "set socket_resume=true", BOTH, BOTH, *TURN),
        "7200": (
            f"play_and_get_digits 1 1 1 5000 # {WHISPER} accept_key ^5$",
            "transfer accept_${accept_key} XML jt",
        ),
        "7201": (
            f"play_and_get_digits 1 1 1 5000 # {WHISPER} accept_key ^5$",
            "transfer joinsafe_${accept_key} XML jt",
        ),
        "accept_5": JOIN,
        "joinsafe_5": (*SAFE_JOIN, *JOIN),
        "(?:accept|joinsafe)_": ("hangup CALL_REJECTED",),
    }
)
PHONES = {
    "sofia/internal/1001@127.0.0.1:5080": "late 0.5",
    "sofia/internal/1002@127.0.0.1:5080": "busy",
    "sofia/internal/1003@127.0.0.1:5080": "rings",
    "sofia/internal/1004@127.0.0.1:5080": "UNALLOCATED_NUMBER",
    "sofia/internal/1001@127.0.0.1:5099": "NORMAL_TEMPORARY_FAILURE",
    "sofia/internal/7001@127.0.0.1:5080": "rings",
    "sofia/internal/7002@127.0.0.1:5080": "busy",
    "sofia/internal/9196@127.0.0.1:5080": "late 0",
    "loopback/1001/default": "late 0.5",
    "loopback/1002/default": "NORMAL_CLEARING",  # over loopback the cause is lost
    "loopback/1003/default": "rings",
    "loopback/1004/default": "UNALLOCATED_NUMBER",
    "loopback/9196/default": "late 0",
}
