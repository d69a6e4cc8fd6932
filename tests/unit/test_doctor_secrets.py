"""The checks `secrets` and `user`: what can be guessed, who may read and write what, on files with real modes."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from cordboard.bootstrap.checks import unix_user, weak_secrets
from cordboard.bootstrap.checks.result import Level
from cordboard.store.accounts import set_password_hash
from cordboard.store.database import open_database
from tests.doubles.doctor_site import SECRET, Site, only, open_folder

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


async def test_a_long_secret_of_its_users_own_is_good(tmp_path: Path) -> None:
    only(await weak_secrets.look(Site(tmp_path).premises()), Level.OK)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("Amp111", "everybody tries first"),
        ("20260101", "everybody tries first"),
        ("q7Lm2Zp9", "has 8 characters"),
        ("abababababababababab", "repeats a few characters"),
    ],
)
async def test_a_secret_that_can_be_guessed_is_a_fault_and_is_not_shown(
    tmp_path: Path, secret: str, words: str
) -> None:
    site = Site(tmp_path)
    site.write("secrets/ami", secret)
    result = only(await weak_secrets.look(site.premises()), Level.FAULT)
    assert words in result.seen
    assert secret not in result.seen + result.fix
    assert result.fix.startswith(f"rm {site.config}/secrets/ami && cordboard install-dialplan -c {site.config}")


async def test_a_secret_that_is_not_there_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    (site.config / "secrets" / "ami").unlink()
    result = only(await weak_secrets.look(site.premises()), Level.FAULT)
    assert result.seen.endswith("is not there")
    assert result.fix.startswith("cordboard install-dialplan")


async def test_a_secret_of_the_environment_is_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path)
    site.write("cordboard.yaml", "asterisk: {ami: {secret: {env: TEST_AMI_SECRET}}}\n")
    assert "TEST_AMI_SECRET" in only(await weak_secrets.look(site.premises()), Level.FAULT).seen
    monkeypatch.setenv("TEST_AMI_SECRET", SECRET)
    only(await weak_secrets.look(site.premises()), Level.OK)


async def test_a_file_that_others_can_read_is_a_fault() -> None:
    with open_folder() as folder:
        site = Site(folder)
        file = site.config / "secrets" / "ami"
        file.chmod(0o644)
        result = only(await weak_secrets.look(site.premises()), Level.FAULT)
        assert result.fix == f"chmod o= {file}"
        file.parent.chmod(0o700)  # and now nobody comes to it
        only(await weak_secrets.look(site.premises()), Level.OK)


async def test_secrets_of_the_crm_are_looked_at_too() -> None:
    with open_folder() as folder:
        site = Site(folder)
        header = "{Authorization: {file: secrets/crm}}"
        connector = f"{{http: {{url: 'https://x.test/{{number}}', headers: {header}}}}}"
        site.write("crm.yaml", f"country: GB\nconnector: {connector}\ncustomer: {{name: text}}\n")
        site.write("secrets/crm", "tq8wYxq2rLmZ5uNv")
        (site.config / "secrets" / "crm").chmod(0o644)
        assert "secrets/crm" in only(await weak_secrets.look(site.premises()), Level.FAULT).seen
        assert weak_secrets.configured_secrets(site.premises()) == [SECRET, "tq8wYxq2rLmZ5uNv"]


async def test_the_files_for_asterisk_are_looked_at_too() -> None:
    with open_folder() as folder:
        site = Site(folder)
        site.install()
        (site.asterisk / "cordboard.conf").chmod(0o644)
        assert only(await weak_secrets.look(site.premises()), Level.WARNING).fix.endswith("asterisk/cordboard.conf")


async def test_agents_without_a_password_are_noted_until_they_have_one(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.add_agents(alice="PJSIP/1001", bob="PJSIP/1002")
    assert only(await weak_secrets.look(site.premises()), Level.NOTE).seen.endswith("alice, bob")
    engine = open_database(site.state / "cordboard.db")
    with engine.begin() as connection:
        set_password_hash(connection, "alice", "$argon2id$...")
    engine.dispose()
    result = only(await weak_secrets.look(site.premises()), Level.NOTE)
    assert result.seen.endswith("desk: bob")
    assert result.fix == f"cordboard agent password bob -c {site.config}"


async def test_who_runs_it_can_work(tmp_path: Path) -> None:
    assert f"`{getpass.getuser()}` may" in only(await unix_user.look(Site(tmp_path).premises()), Level.OK).seen


@needs_root
def test_the_units_user_must_be_able_to_write_and_read() -> None:
    with open_folder() as folder:
        site = Site(folder)
        unit = folder / "cordboard.service"
        unit.write_text("[Service]\nUser=nobody\nExecStart=/bin/true\n")
        (of_no_switch_here := site.config / "secrets" / "event_socket").write_text("s3cret\n")
        of_no_switch_here.chmod(0o600)
        state, secret = unix_user.examine(site.premises(), unit)
        assert f"may not write {site.state}" in state.seen and state.fix == f"chown -R nobody {site.state}"
        assert "may not read the secret" in secret.seen
        for path in (site.state, site.config / "secrets", site.config / "secrets" / "ami"):
            os.chown(path, unix_user.find_user("nobody").uid, -1)
        only(unix_user.examine(site.premises(), unit), Level.OK)
        (of_root := site.state / "prompts" / "en").mkdir(parents=True)
        os.chown(of_root.parent, unix_user.find_user("nobody").uid, -1)
        assert f"may not write {of_root}" in only(unix_user.examine(site.premises(), unit), Level.FAULT).seen


def test_a_unit_of_a_user_who_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    unit = tmp_path / "cordboard.service"
    unit.write_text("[Service]\nUser=no-such-user\n")
    assert "no-such-user" in only(unix_user.examine(Site(tmp_path).premises(), unit), Level.FAULT).seen


def test_a_group_can_give_what_others_have_not(tmp_path: Path) -> None:
    status = tmp_path.stat()
    tmp_path.chmod(0o070)
    member = unix_user.User("member", status.st_uid + 1, frozenset({status.st_gid}))
    stranger = unix_user.User("stranger", status.st_uid + 1, frozenset({status.st_gid + 1}))
    owner = unix_user.User("owner", status.st_uid or 1, frozenset())
    assert member._may(unix_user.WRITE, tmp_path.stat())
    assert not stranger._may(unix_user.WRITE, tmp_path.stat())
    assert not owner._may(unix_user.WRITE, tmp_path.stat())
    tmp_path.chmod(0o700)
