"""The lab's FreeSWITCH as files, where it is taken from, and its sounds: all without a FreeSWITCH."""

from __future__ import annotations

import wave
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cordboard.bootstrap.configuration import load_configuration
from cordboard.errors import LabError
from cordboard.lab import freeswitch_sources
from cordboard.lab.freeswitch_config import FreeswitchSettings, render_freeswitch
from cordboard.lab.freeswitch_sources import (
    FreeswitchProgram,
    NoFreeswitch,
    RunningFreeswitch,
    find_freeswitch,
    running_freeswitch,
)
from cordboard.lab.freeswitch_stage import freeswitch_copy, in_freeswitch_words
from cordboard.lab.house_files import House
from cordboard.prompts import freeswitch_values
from cordboard.prompts.freeswitch_words import LANGUAGES, sound_texts
from cordboard.prompts.voice import Voices


def settings(**values: object) -> FreeswitchSettings:
    given = {"sip_port": 5080, "esl_port": 8021, "esl_secret": "s3cret", "rtp_ports": (12000, 12200)}
    return FreeswitchSettings(**(given | {"run_dir": Path("/run"), "sound_dir": Path("/sounds")} | values))  # type: ignore[arg-type]


def test_every_file_is_well_formed_and_filled_in() -> None:
    for name, text in render_freeswitch(settings(languages=("en", "es", "fr"))).items():
        ElementTree.fromstring(text)
        assert "@" not in text.replace("user@", ""), name


def test_the_event_socket_is_for_loopback_alone() -> None:
    socket = ElementTree.fromstring(render_freeswitch(settings())["autoload_configs/event_socket.conf.xml"])
    values = {one.get("name"): one.get("value") for one in socket.iter("param")}
    assert (values["listen-ip"], values["apply-inbound-acl"]) == ("127.0.0.1", "loopback.auto")


def test_callers_go_to_the_dialplan_that_is_given_and_else_to_the_safe_destination() -> None:
    assert "$1 XML operators" in render_freeswitch(settings())["dialplan/lab.xml"]
    given = settings(extra_files={"dialplan/cordboard.xml": "<include/>"})
    assert "$1 XML cordboard" in render_freeswitch(given)["dialplan/lab.xml"]


@pytest.mark.parametrize("name", ["../x.xml", "/etc/passwd", "dialplan/../../x"])
def test_a_file_outside_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="outside"):
        render_freeswitch(settings(extra_files={name: ""}))


def test_one_that_is_named_comes_before_one_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeswitch_sources, "find_program", lambda _name: "/usr/bin/freeswitch")
    assert find_freeswitch({}) == FreeswitchProgram("program", "/usr/bin/freeswitch")
    named = find_freeswitch({"CORDBOARD_FREESWITCH_ESL": "127.0.0.1:8021:a:b"})
    assert named == RunningFreeswitch("127.0.0.1", 8021, "a:b")
    assert "a:b" not in repr(named)


def test_without_one_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeswitch_sources, "find_program", lambda _name: None)
    monkeypatch.setattr(freeswitch_sources, "find_engine", lambda: None)
    with pytest.raises(NoFreeswitch, match="docker build"):
        find_freeswitch({})


@pytest.mark.parametrize("written", ["127.0.0.1", "127.0.0.1:8021", "127.0.0.1:x:y", ":8021:x", "127.0.0.1:8021:"])
def test_an_address_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(NoFreeswitch, match="host:port:secret"):
        running_freeswitch(written)


def test_what_belongs_to_asterisk_is_written_anew_and_nothing_else() -> None:
    written = "device: PJSIP/1003\nx: {mailbox: 100@default}\nmusic: default\n"
    expected = "device: user/1003\nx: {folder: box_100}\nmusic: default\n"
    assert in_freeswitch_words(written) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_what_numbers_dates_and_spelled_words_are_put_together_from(language: str) -> None:
    texts = sound_texts(language)
    wanted = [f"digits/{number}" for number in (*range(21), *range(30, 100, 10))]
    wanted += [f"time/day-{day}" for day in range(7)] + [f"time/mon-{month}" for month in range(12)]
    wanted += [f"ascii/{ord(letter)}" for letter in "az"] + ["digits/hundred", "digits/thousand", "digits/million"]
    assert not [name for name in wanted if not texts.get(name)]
    assert all(text.strip() for text in texts.values())


async def test_a_trial_house_has_both_switches_and_one_secret_each(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "cordboard.yaml").write_text("switches: [asterisk, freeswitch]\nworkers: 2\n")
    house = House(config, tmp_path / "house")
    await house.write()
    secrets = [(config / "secrets" / name).read_text().strip() for name in ("ami", "event_socket")]
    manager = (tmp_path / "house/asterisk/conf/manager.d/cordboard.conf").read_text()
    socket = (tmp_path / "house/freeswitch/conf/autoload_configs/event_socket.conf.xml").read_text()
    assert secrets[0] in manager and secrets[1] in socket
    before = sorted((path, path.read_bytes()) for path in (tmp_path / "house").rglob("*.xml"))
    await house.write()
    assert before == sorted((path, path.read_bytes()) for path in (tmp_path / "house").rglob("*.xml"))


async def test_values_are_spoken_in_every_rate_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeswitch_values, "sound_texts", lambda _language: {"digits/20": "20", "time/at": "at"})
    assert await freeswitch_values.speak_values(tmp_path, "en", Voices()) == 8
    for rate in (8000, 16000, 32000, 48000):
        with wave.open(str(tmp_path / "en" / "digits" / str(rate) / "20.wav")) as sound:
            assert (sound.getframerate(), sound.getnchannels()) == (rate, 1)
    assert not list(tmp_path.rglob(".*"))
    assert await freeswitch_values.speak_values(tmp_path, "en", Voices()) == 0


def test_a_region_is_no_language_of_its_own_and_unknown_ones_are_left_out() -> None:
    assert freeswitch_values.say_languages(["es-mx", "es", "en", "ja"]) == ["es", "en"]


def test_the_flow_library_can_be_served_on_freeswitch(tmp_path: Path) -> None:
    site = freeswitch_copy(Path(__file__).parents[2] / "ivr_flows", tmp_path / "site")
    loaded = load_configuration(site, environment={}, need_secrets=False)
    assert list(loaded.settings.switches) == ["freeswitch"]
    assert all(agent.device.startswith("user/") for agent in loaded.plan.agents.values())
