"""What a REFER says, and what a NOTIFY about it tells."""

from __future__ import annotations

from cordboard.lab.dialog import Dialog
from cordboard.lab.transfer import attended_target, blind_target, transfer_status


def test_a_blind_transfer_names_the_number_at_the_pbx() -> None:
    assert blind_target("5000", ("127.0.0.1", 5060)) == "<sip:5000@127.0.0.1:5060>"


def test_an_attended_transfer_names_the_dialog_as_the_pbx_sees_it() -> None:
    dialog = Dialog(
        call_id="one@127.0.0.1",
        local='"Bob" <sip:1004@127.0.0.1>;tag=ours',
        remote="<sip:1005@127.0.0.1:5060>;tag=theirs",
        contact="",
        target="",
        routes=(),
        via="",
        sequence=3,
    )
    assert attended_target(dialog) == (
        "<sip:1005@127.0.0.1:5060?Replaces=one%40127.0.0.1%3Bto-tag%3Dtheirs%3Bfrom-tag%3Dours>"
    )


def test_a_fragment_gives_its_status_and_anything_else_none() -> None:
    assert transfer_status(b"SIP/2.0 100 Trying\r\n") == 100
    assert transfer_status(b"SIP/2.0 503 Service Unavailable") == 503
    assert transfer_status(b"") == 0
    assert transfer_status(b"HTTP/1.1 200 OK") == 0
