"""The checks `dialplan` and `music`, on files that `install-dialplan` really wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_scripts.dialplan.render import VERSION
from cordboard.bootstrap.checks import dialplan, music
from cordboard.bootstrap.checks.asterisk_files import Reading, read_with_includes
from cordboard.bootstrap.checks.premises import NotLookedAt
from cordboard.bootstrap.checks.result import Level, Result
from tests.doubles.doctor_site import EXTENSIONS, SECRET, Site, as_nobody, only, open_folder

INCLUDE = '#include "cordboard.conf"'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.install()
    return site


def findings(site: Site) -> list[Result]:
    return dialplan.examine(site.premises())


def test_what_is_installed_and_included_is_good(site: Site) -> None:
    assert findings(site) == []


async def test_without_a_log_in_it_is_said_what_is_not_known(site: Site) -> None:
    assert "not known" in only(await dialplan.look(site.premises()), Level.NOTE).seen


def test_looking_writes_nothing(site: Site) -> None:
    site.settings = "workers: 3\n"
    site.write_settings()
    before = (site.asterisk / "cordboard.conf").read_text()
    assert findings(site)
    assert (site.asterisk / "cordboard.conf").read_text() == before


def test_a_change_of_settings_makes_the_dialplan_old(site: Site) -> None:
    site.settings = "workers: 3\n"
    site.write_settings()
    result = only(findings(site), Level.FAULT)
    assert "cordboard.conf is not what the settings ask for now" in result.seen and "would change" in result.seen
    target = f"--target {site.asterisk}"
    reload = "asterisk -rx 'dialplan reload' && asterisk -rx 'manager reload'"
    assert result.fix == f"cordboard install-dialplan -c {site.config} {target} && {reload}"


def test_a_dialplan_of_an_earlier_release_is_told_as_such(site: Site) -> None:
    installed = site.asterisk / "cordboard.conf"
    text = installed.read_text()
    without = "".join(line for line in text.splitlines(keepends=True) if "ersion" not in line)
    for older, version in ((without, 1), (text.replace(f"Version {VERSION}:", "Version 0:"), 0)):
        installed.write_text(older)
        seen = only(findings(site), Level.FAULT).seen
        assert f"is of an earlier release (version {version}, not {VERSION})" in seen


def test_a_new_secret_makes_both_files_old_and_is_not_shown(site: Site) -> None:
    secret = SECRET[::-1]
    site.write("secrets/ami", secret)
    results = findings(site)
    assert [result.level for result in results] == [Level.FAULT, Level.FAULT]
    assert not any(secret in result.seen + result.fix or SECRET in result.seen for result in results)


def test_a_file_that_is_not_there_is_told(site: Site) -> None:
    (site.asterisk / "cordboard.conf").unlink()
    seen = [result.seen for result in findings(site)]
    assert f"{site.asterisk}/cordboard.conf is not there" in seen


def test_a_file_of_somebody_elses_is_told(site: Site) -> None:
    (site.asterisk / "cordboard.conf").write_text("[mine]\n")
    assert "was not written by cordboard" in only(findings(site), Level.WARNING).seen


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"; {INCLUDE}",
        f";--\n{INCLUDE}\n--;",
        '#include "cordboard.conf.old"',
        '#exec "cordboard.conf"',
    ],
)
def test_an_include_that_is_not_there_is_a_fault(site: Site, text: str) -> None:
    (site.asterisk / "extensions.conf").write_text(EXTENSIONS.replace(INCLUDE, text))
    result = only(findings(site), Level.FAULT)
    assert "extensions.conf does not include our file" in result.seen
    assert INCLUDE in result.fix and "dialplan reload" in result.fix


@pytest.mark.parametrize(
    "text",
    [
        "#include cordboard.conf",
        "#include <cordboard.conf>",
        '#tryinclude "cordboard.conf" ; ours',
        '  #include => "cordboard.conf"',
        "#include cord*.conf",
        "#include {asterisk}/cordboard.conf",
        "#include more.d/*.conf",
    ],
)
def test_every_way_to_include_counts(site: Site, text: str) -> None:
    (site.asterisk / "more.d").mkdir()
    (site.asterisk / "more.d" / "a.conf").write_text("#include more.conf\n")
    (site.asterisk / "more.conf").write_text(f"#include more.d/a.conf\n{INCLUDE}\n")
    text = text.replace("{asterisk}", str(site.asterisk))
    (site.asterisk / "extensions.conf").write_text(EXTENSIONS.replace(INCLUDE, text))
    assert findings(site) == []


def test_a_managers_file_without_our_include_is_a_fault(site: Site) -> None:
    (site.asterisk / "manager.conf").write_text("[general]\nenabled = yes\n")
    result = only(findings(site), Level.FAULT)
    assert '#include "manager.d/cordboard.conf"' in result.fix and "manager reload" in result.fix


@pytest.mark.parametrize("line", ["exten => s,1,Goto(cordboard,5000,1)", "include => cordboard"])
def test_a_dialplan_that_sends_no_calls_is_told(site: Site, line: str) -> None:
    (site.asterisk / "extensions.conf").write_text(f"{INCLUDE}\n")
    assert "sends calls to the context" in only(findings(site), Level.WARNING).seen
    (site.asterisk / "extensions.conf").write_text(f"{INCLUDE}\n[in]\n{line}\n")
    assert findings(site) == []


def test_what_our_own_file_says_sends_no_calls(site: Site) -> None:
    line = "include => cordboard"
    premises, ours, other = site.premises(), site.asterisk / "cordboard.conf", site.asterisk / "other.conf"
    assert not dialplan.sends_calls(premises, Reading(lines=[(ours, line)]))
    assert dialplan.sends_calls(premises, Reading(lines=[(other, line)]))


def test_what_cannot_be_read_is_told_so() -> None:
    with open_folder() as folder:
        site = Site(folder)
        site.install()
        site.asterisk.chmod(0o755)
        (site.config / "secrets" / "ami").chmod(0o644)
        with as_nobody():
            result = only(findings(site), Level.WARNING)
    assert "cordboard.conf cannot be read" in result.seen
    assert result.fix.startswith("sudo cordboard doctor")


async def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.asterisk.rmdir()
    assert "--asterisk DIR" in only(await dialplan.look(site.premises()), Level.WARNING).fix


def test_sections_are_read_as_asterisk_does(tmp_path: Path) -> None:
    text = "[general] ; all\nport = 5038\nsecret => a\\;b ; not this\n[x]\nport=1\n[general](+)\nport = 5039\n"
    (tmp_path / "manager.conf").write_text(text)
    reading = read_with_includes(tmp_path, "manager.conf")
    assert reading.section("general") == {"port": "5039", "secret": "a\\;b"}
    assert reading.section("y") is None


async def test_a_queue_whose_music_nobody_has_is_told(site: Site) -> None:
    only(await music.look(site.premises()), Level.OK)
    site.add_agents(alice="PJSIP/1001")
    only(await music.look(site.premises()), Level.OK)
    site.write("queues.yaml", "queues: {sales: {music: jazz}}\n")
    result = only(await music.look(site.premises()), Level.WARNING)
    assert "music class jazz" in result.seen and "[jazz]" in result.fix
    (site.asterisk / "musiconhold.conf").unlink()
    with pytest.raises(NotLookedAt, match=r"musiconhold\.conf"):
        await music.look(site.premises())
