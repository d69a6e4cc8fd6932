"""The order in which app_queue goes through a queue's members; of equals it takes the last. Used by `compat`.

The members of most of its queues are kept in a hash table of 37 buckets, by the first five characters of the
interface from its slash on ("/1001" of PJSIP/1001), and within a bucket as they were added (`member_hash_fn`,
Asterisk 22). Only `linear` and `rrordered` keep a list; but `rrmemory` turns by the place at which a member was
added, like these.
"""

from __future__ import annotations

from collections.abc import Sequence

from cordboard.acd.model import Agent

_BUCKETS = 37
_HASHED = 5  # characters
_BITS = 6  # that each is worth


def in_hash_order(members: Sequence[Agent]) -> list[Agent]:
    """The members as app_queue meets them. members: in the order of the file."""
    return sorted(members, key=lambda agent: bucket_of(agent.device))


def bucket_of(device: str) -> int:
    """The bucket of an interface, 0 to 36."""
    place = device.find("/")
    hashed = device[max(place, 0) :][:_HASHED]
    return sum(_compressed(char) << (number * _BITS) for number, char in enumerate(hashed)) % _BUCKETS


def _compressed(char: str) -> int:
    code = ord(char)
    if code < 32:
        return 0
    return code - 64 if code > 96 else code - 32
