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
