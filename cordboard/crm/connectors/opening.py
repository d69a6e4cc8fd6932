"""Makes the connector that crm.yaml asks for, with its secrets. Called at start, at a reload and by the CLI."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cordboard.config.findings import Finding
from cordboard.crm.connector import Connector
from cordboard.crm.connectors.directory import DirectoryConnector
from cordboard.crm.connectors.http import HttpConnector
from cordboard.crm.crm_file import FILE, CrmSettings
from cordboard.crm.customers_db import FILE as CUSTOMERS_FILE
from cordboard.crm.http_section import Http, SecretHeader
from cordboard.errors import ConfigurationError
from cordboard.settings import read_secret

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


def _header(name: str, value: str | SecretHeader, directory: Path, environment: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    try:
        secret = read_secret(value, directory, environment)
    except ConfigurationError as fault:
        raise ConfigurationError([replace(one, file=FILE, hint=_HINT) for one in fault.findings]) from fault
    if not (secret.isascii() and secret.isprintable()):
        raise _refusal(f"the secret for the header {name} holds what no header can: it is not printable ASCII")
    return value.prefix + secret


def _tls(http: Http, directory: Path) -> ssl.SSLContext | None:
    """Trust in one authority of one's own instead of the system's; None for the system's."""
    if http.ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=directory / http.ca_file)
    except (OSError, ssl.SSLError) as fault:
        raise _refusal(f"the certificate {http.ca_file} cannot be read: {fault}") from fault


def _refusal(message: str) -> ConfigurationError:
    return ConfigurationError([Finding(FILE, 1, 1, "secret-unreadable", message, _HINT)])
