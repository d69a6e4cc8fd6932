"""Settings: the file, the environment over it, secrets, and what a configuration directory must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.bootstrap import configuration
from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.configuration import load_configuration, restart_needed
from cordboard.errors import ConfigurationError
from cordboard.settings import SecretReference, Settings, load_settings, read_secret

FLOW = "flow: hello\nlanguages: [en]\nprompts: {}\nnodes:\n  bye: {hangup: normal}\n"


def write(directory: Path, settings: str = "", **files: str) -> Path:
    (directory / "flows").mkdir(exist_ok=True)
    (directory / "cordboard.yaml").write_text(settings)
    (directory / "numbers.yaml").write_text("{}\n")
    for name, text in files.items():
        (directory / "flows" / f"{name}.yaml").write_text(text)
    return directory


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n"], ids=["empty", "comment", "mapping"])
def test_the_environment_fills_an_empty_file(tmp_path: Path, text: str) -> None:
    settings, _ = load_settings(write(tmp_path, text), {"CORDBOARD_LISTEN__AGI__PORT": "4600"})
    assert settings.listen.agi.port == 4600


def test_the_environment_wins_over_the_file_and_leaves_the_rest(tmp_path: Path) -> None:
    directory = write(tmp_path, "listen: {agi: {port: 4573, host: 127.0.0.5}}\n")
    settings, _ = load_settings(directory, {"CORDBOARD_LISTEN__AGI__PORT": "4600", "CORDBOARD_UNKNOWN": "1"})
    assert (settings.listen.agi.host, settings.listen.agi.port) == ("127.0.0.5", 4600)


def test_a_file_that_is_no_mapping_is_a_finding_whatever_the_environment_says(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(write(tmp_path, "- workers\n"), {"CORDBOARD_WORKERS": "2"})
    assert [finding.file for finding in refused.value.findings] == ["cordboard.yaml"]


def test_a_secret_that_may_not_be_read_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)  # root may read everything
    with pytest.raises(ConfigurationError, match="chown asterisk"):
        read_secret(SecretReference(file=Path("secret")), tmp_path)


def test_a_secret_that_is_not_there_is_told_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="install-dialplan"):
        read_secret(SecretReference(file=Path("secret")), tmp_path)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_configuration_without_a_flow_is_a_finding(tmp_path: Path, is_there: bool) -> None:
    write(tmp_path)
    if not is_there:
        (tmp_path / "flows").rmdir()
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(tmp_path, environment={}, need_secrets=False)
    (finding,) = refused.value.findings
    assert (finding.code, finding.file) == ("no-flows", str(tmp_path / "flows"))


@pytest.mark.parametrize(
    ("rule", "column", "message", "hint"),
    [
        ("10XX: PJSIP/{ext}", 9, "`PJSIP/{ext}` is no device", "PJSIP/{extension}"),
        ("10XX: 1001", 9, "`1001` is no device", "PJSIP/{extension}"),
        ("10XX: PJSIP/1&PJSIP/2", 9, "`PJSIP/1&PJSIP/2` is no device", "PJSIP/front-desk"),
        ("_10XX.: PJSIP/1", 3, "`.` in `_10XX.` is no digit of an extension", "X (0-9)"),
        ('"*XX": PJSIP/{extension}', 10, "`*XX` has * or #", "write the device out"),
    ],
)
def test_a_bad_dial_rule_is_a_finding_at_its_place(
    tmp_path: Path, rule: str, column: int, message: str, hint: str
) -> None:
    write(tmp_path, f"extensions:\n  0: PJSIP/operator\n  {rule}\n  9: nowhere\n", hello=FLOW)
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(tmp_path, environment={}, need_secrets=False)
    bad, other = refused.value.findings
    assert (bad.line, bad.column, bad.code) == (3, column, "bad-dial-rule")
    assert bad.message.startswith(message) and hint in bad.hint
    assert other.line == 4


def test_every_finding_names_its_file_below_the_directory_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    site = write(Path("site"), hello=FLOW.replace("hangup: normal", "hangup: never"))
    (site / "queues.yaml").write_text("queues: {sales: {}}\n")
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(site, environment={}, need_secrets=False)
    files = {finding.file for finding in refused.value.findings}
    assert files == {"site/flows/hello.yaml", "site/queues.yaml"}


def test_a_number_of_an_unknown_flow_is_told_with_what_was_meant(tmp_path: Path) -> None:
    write(tmp_path, sales=FLOW.replace("flow: hello", "flow: sales"))
    (tmp_path / "numbers.yaml").write_text("default: sails\nnumbers: {5000: nothing}\n")
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(tmp_path, environment={}, need_secrets=False)
    assert {(one.message, one.hint) for one in refused.value.findings} == {
        ("there is no flow `sails`", "did you mean `sales`?"),
        ("there is no flow `nothing`", "known: sales"),
    }


CRM = """\
country: GB
connector:
  http:
    url: https://crm.example.com/{number}
    headers:
      X-Site: london
      Authorization: {prefix: "Bearer ", file: secrets/crm}
      X-Key: {env: CRM_KEY}
    ca_file: secrets/ca.pem
customer: {name: text}
"""


def test_lint_finds_files_of_the_crm_that_cannot_be_read_at_their_places(tmp_path: Path) -> None:
    write(tmp_path, hello=FLOW)
    (tmp_path / "crm.yaml").write_text(CRM)
    configuration = load_configuration(tmp_path, environment={}, need_secrets=False)
    with pytest.raises(ConfigurationError) as refused:
        configuration.check_outside_world()
    missing = "cannot be read: No such file or directory"
    assert [(one.file, one.line, one.column, one.message) for one in refused.value.findings] == [
        (str(tmp_path / "crm.yaml"), 7, 22, f"the secret in file secrets/crm {missing}"),
        (str(tmp_path / "crm.yaml"), 9, 14, f"the certificate in file secrets/ca.pem {missing}"),
    ]
    with pytest.raises(ConfigurationError, match=r"crm.yaml:7:22: the secret in file secrets/crm"):
        configuration.open_crm()


def test_the_managers_secret_is_told_with_the_place_that_refers_to_it(tmp_path: Path) -> None:
    write(tmp_path, "asterisk: {ami: {secret: {file: none}}}\n", hello=FLOW)
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(tmp_path, environment={})
    (one,) = refused.value.findings
    assert (one.file, one.line, one.column) == (str(tmp_path / "cordboard.yaml"), 1, 26)
    assert one.message == "the secret in file none cannot be read: No such file or directory"


def test_a_fault_in_a_kept_copy_is_told_of_the_file_that_was_written(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    write(copy, hello=FLOW.replace("hangup: normal", "hangup: never"))
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(tmp_path, copy, environment={}, need_secrets=False)
    assert [finding.file for finding in refused.value.findings] == [str(tmp_path / "flows" / "hello.yaml")]


def test_what_a_reload_does_not_take_up_is_named() -> None:
    before = Settings()
    after = before.model_copy(update={"workers": 3, "zone": "Europe/London", "state": Path("elsewhere")})
    assert restart_needed(before, after) == ["state", "workers"]
    assert restart_needed(before, before) == []
    assert set(configuration.NEED_RESTART) <= set(Settings.model_fields)


def test_the_token_of_the_dialplan_follows_the_secret() -> None:
    assert agi_token("one") == "82390c2bafcf7d10175a7072f2837c6f"  # as installed dialplans have it
    assert agi_token("two") != agi_token("one")


def _outside(tmp_path: Path, section: str) -> list[tuple[str, int, str]]:
    """The findings of settings that hold this."""
    (tmp_path / "cordboard.yaml").write_text(section, "utf-8")
    try:
        load_settings(tmp_path, {})
    except ConfigurationError as fault:
        return [(finding.code, finding.line, finding.message) for finding in fault.findings]
    return []


def test_numbers_outside_are_allowed_by_one_section(tmp_path: Path) -> None:
    section = """
        country: GB
        outside: {device: "PJSIP/{number}@trunk", countries: [GB], per_caller: {calls: 3, within_s: 9}}
    """
    (tmp_path / "cordboard.yaml").write_text(section, "utf-8")
    settings, _ = load_settings(tmp_path, {})
    assert settings.dial_policy().resolve_number("020 7946 0123")
    assert settings.outside and settings.outside.per_caller.calls == 3


@pytest.mark.parametrize(
    ("section", "code", "line"),
    [
        ("outside:\n  device: PJSIP/trunk", "bad-outside", 2),
        ('outside:\n  device: "PJSIP/{number}@t"\n  countries: [GB, UK]', "bad-outside", 3),
        ('outside:\n  device: "PJSIP/{number}@t"\n  deny: ["0845"]', "bad-outside", 3),
        ('outside:\n  device: "PJSIP/{number}@t"\n  types: [satellite]', "unknown-choice", 3),
        ("outside:\n  countries: [GB]", "missing-key", 1),
        ("country: England", "bad-country", 1),
        ("transfers: {reception: reception}", "bad-destination", 1),
    ],
)
def test_what_cannot_be_in_it_is_a_finding_at_its_place(tmp_path: Path, section: str, code: str, line: int) -> None:
    ((found, at, _),) = _outside(tmp_path, section)
    assert (found, at) == (code, line)
