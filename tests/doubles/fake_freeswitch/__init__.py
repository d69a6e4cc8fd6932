"""A FreeSWITCH that is not there: it speaks the event socket over real sockets, both ways round.

`switch` is what tests use: it has `channel`s, each with a `life` of `applications`, and `connection`s. What it
says, and in which order, is held against recordings of a real one.
"""

from tests.doubles.fake_freeswitch.switch import FakeFreeswitch as FakeFreeswitch
