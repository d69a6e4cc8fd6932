"""The lab PBX's configuration: every placeholder filled, every extra file included once, nothing overwritten."""

from pathlib import Path

import pytest

from cordboard.errors import LabError
from cordboard.lab.pbx_config import PbxSettings, fill, render

SETTINGS = {
    "sip_port": 25060,
    "ami_port": 25038,
    "ami_secret": "s3cret",
    "run_dir": Path("/run/lab"),
    "sound_dir": Path("/run/lab/sounds"),
}


def rendered(**changes):
    return render(PbxSettings(**(SETTINGS | changes)))


def test_no_placeholder_is_left_in_any_file():
    for name, text in rendered().items():
        assert "@" not in text, name


def test_an_unknown_placeholder_is_an_error():
    with pytest.raises(KeyError, match="NOBODY"):
        fill("bind = @NOBODY@", {"SIP_PORT": "5060"})


def test_every_phone_has_an_endpoint_an_auth_and_an_aor():
    pjsip = rendered(phones=["1000", "1007"])["pjsip.conf"]
    for extension in ("1000", "1007"):
        assert f"[{extension}](phone)" in pjsip
        assert pjsip.count(f"\n[{extension}]") == 3
    assert "1001" not in pjsip


def test_callers_go_to_cordboard_only_if_its_dialplan_is_there():
    assert "Goto(operators,s,1)" in rendered()["extensions.conf"]
    with_entry = rendered(extra_files={"cordboard.conf": "[cordboard]\n"})["extensions.conf"]
    assert "Goto(cordboard,${EXTEN},1)" in with_entry
    assert "Goto(operators,s,1)" not in with_entry


def test_extra_files_are_written_and_included_where_they_belong():
    files = rendered(extra_files={"cordboard.conf": "[cordboard]\n", "manager.d/cordboard.conf": "[cb]\n"})
    assert files["cordboard.conf"] == "[cordboard]\n"
    assert "#include cordboard.conf" in files["extensions.conf"]
    assert "#include manager.d/cordboard.conf" in files["manager.conf"]
    assert "#include" not in files["queues.conf"]


@pytest.mark.parametrize(
    "name", ["pjsip.conf", "rtp.d/more.conf", "nowhere.d/x.conf", "../x.conf", "manager.d/../x"]
)
def test_an_extra_file_that_cannot_be_placed_is_refused(name):
    with pytest.raises(LabError, match="lab"):
        rendered(extra_files={name: ""})


def test_extra_dialplan_begins_in_the_context_that_callers_and_phones_reach_first():
    text = rendered(extra_dialplan="exten => 700,1,Answer()\n[more]\nexten => 1,1,NoOp()")["extensions.conf"]
    assert "[lab-extra]\nexten => 700,1,Answer()\n[more]" in text
    assert text.count("include => lab-extra\ninclude => lab-entry") == 2


def test_every_listener_is_on_loopback():
    files = rendered()
    assert "bind = 127.0.0.1:25060" in files["pjsip.conf"]
    assert "bindaddr = 127.0.0.1\nport = 25038" in files["manager.conf"]
    assert "media_address = 127.0.0.1\nbind_rtp_to_media_address = yes" in files["pjsip.conf"]
    assert "enabled = no" in files["http.conf"]
