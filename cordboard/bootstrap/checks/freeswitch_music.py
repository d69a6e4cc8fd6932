"""Check `esl-music`: FreeSWITCH has the streams of music on hold that queues name. Without one callers wait in
silence.

The running FreeSWITCH is asked: a stream whose folder is empty is written down and does not play.
"""

from __future__ import annotations

from collections.abc import Sequence

from cordboard.bootstrap.checks.event_socket_session import NoEventSocket
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises
from cordboard.bootstrap.checks.result import Check, Result, listed, ok, warning

FILE = "autoload_configs/local_stream.conf.xml"
DEFAULT = "default"  # plays in the place of one that is not there
RELOAD = "fs_cli -x 'reload mod_local_stream'"  # a folder that has become full is not looked into by itself


async def look(premises: Premises) -> Sequence[Result]:
    """The streams that do not play."""
    wanted = {queue.music for queue in premises.plan.queues.values()}
    if not wanted:
        return [ok("no queues are configured")]
    try:
        playing = streams_of(await (await premises.event_socket()).api("local_stream show"))
    except NoEventSocket as failure:
        raise NotLookedAt("there is no log-in to the Event Socket") from failure
    missing = sorted(wanted - playing)
    if not missing:
        return [ok(f"music on hold for every queue: {listed(sorted(wanted))}")]
    heard = f"`{DEFAULT}` in its place" if DEFAULT in playing else "nothing while they wait"
    seen = f"FreeSWITCH plays no music stream {listed(missing)}: callers would hear {heard}"
    path = premises.freeswitch / FILE
    fix = f'<directory name="{missing[0]}" path="..."/> in {path}, with sounds in that folder; then: {RELOAD}'
    return [warning(seen, fix)]


def streams_of(listing: str) -> set[str]:
    """The names in the answer to `local_stream show`: lines of `name,folder`. "moh/8000" is "moh" in one rate."""
    lines = [] if listing.startswith("-") else listing.splitlines()
    names = {line.partition(",")[0] for line in lines if "," in line}
    return names | {name.rpartition("/")[0] for name in names if name.rpartition("/")[2].isdecimal()}


CHECK = Check(
    "esl-music",
    look,
    "FreeSWITCH does not answer: fs_cli -x status; systemctl restart freeswitch",
    switch="freeswitch",
)
