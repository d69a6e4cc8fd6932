"""Makes the connector that crm.yaml asks for, with its secrets. Called at start, at a reload and by the CLI."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from cordboard.config.document import Mark
from cordboard.config.findings import Finding
from cordboard.config.yaml_reader import read_yaml
from cordboard.crm.connector import Connector
from cordboard.crm.connectors.directory import DirectoryConnector
from cordboard.crm.connectors.http import HttpConnector
from cordboard.crm.crm_file import FILE, CrmSettings
from cordboard.crm.customers_db import FILE as CUSTOMERS_FILE
from cordboard.crm.http_section import Http, SecretHeader
from cordboard.errors import ConfigurationError
from cordboard.settings import read_secret

_CA_HINT = "put the authority's certificate there, as PEM, readable for the user that runs the service"
_HINT = "write the secret into that file (chmod 600), or into the environment of the service"


def open_connector(
    settings: CrmSettings, directory: Path, state: Path, environment: Mapping[str, str] = os.environ
) -> Connector:
    """The connector, which asks nobody yet.

    directory: the configuration's, secrets and certificates are relative to it; state: the service's own folder.
    Raises ConfigurationError if a secret or certificate cannot be read.
    """
    http = settings.connector.http
    if http is None:
        return DirectoryConnector(state / CUSTOMERS_FILE, settings.customer)
    headers = {name: _header(name, value, directory, environment) for name, value in http.headers.items()}
    return HttpConnector(http, settings.customer, headers, _tls(http, directory))


def unreadable_files(settings: CrmSettings, directory: Path) -> list[Finding]:
    """The files with secrets and certificates that `open_connector` would refuse. What comes from the environment
    is not looked at: that of the service is another than that of an admin who checks.
    """
    http = settings.connector.http
    if http is None:
        return []
    findings: list[Finding] = []
    kept = {name: value for name, value in http.headers.items() if isinstance(value, SecretHeader) and value.file}
    looks: list[Callable[[], object]] = [
        partial(_header, name, value, directory, {}) for name, value in kept.items()
    ]
    looks.append(partial(_tls, http, directory))
    for look in looks:
        try:
            look()
        except ConfigurationError as fault:
            findings += fault.findings
    return findings


def _header(name: str, value: str | SecretHeader, directory: Path, environment: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    try:
        secret = read_secret(value, directory, environment)
    except ConfigurationError as fault:
        place = _place(directory, "headers", name)
        raise ConfigurationError(
            [Finding(FILE, *place, one.code, one.message, _HINT) for one in fault.findings]
        ) from fault
    if not (secret.isascii() and secret.isprintable()):
        message = f"the secret for the header {name} holds what no header can: it is not printable ASCII"
        raise ConfigurationError(
            [Finding(FILE, *_place(directory, "headers", name), "secret-unreadable", message, _HINT)]
        )
    return value.prefix + secret


def _tls(http: Http, directory: Path) -> ssl.SSLContext | None:
    """Trust in one authority of one's own instead of the system's; None for the system's."""
    if http.ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=directory / http.ca_file)
    except (OSError, ssl.SSLError) as fault:
        message = f"the certificate in file {http.ca_file} cannot be read: {_in_words(fault)}"
        place = _place(directory, "ca_file")
        raise ConfigurationError([Finding(FILE, *place, "certificate-unreadable", message, _CA_HINT)]) from fault


def _in_words(fault: OSError) -> str:
    return "it holds no PEM certificate" if isinstance(fault, ssl.SSLError) else fault.strerror or "refused"


def _place(directory: Path, *keys: str) -> Mark:
    """Where something of the `http` section is written; read anew, as this is asked only when it is at fault."""
    try:
        return read_yaml(directory / FILE, shown_as=FILE).place(("connector", "http", *keys))
    except ConfigurationError:  # changed meanwhile
        return 1, 1
