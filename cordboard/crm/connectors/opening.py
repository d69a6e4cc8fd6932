"""Makes the connector that crm.yaml asks for, with its secrets. Called at start, at a reload and by the CLI."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cordboard.config.findings import Finding
from cordboard.config.yaml_reader import read_yaml
from cordboard.crm.connector import Connector
from cordboard.crm.connectors.directory import DirectoryConnector
from cordboard.crm.connectors.http import HttpConnector
from cordboard.crm.crm_file import FILE, CrmSettings
from cordboard.crm.customers_db import FILE as CUSTOMERS_FILE
from cordboard.errors import ConfigurationError
from cordboard.http_client import opening


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
    place = partial(_place, directory)
    headers = opening.open_headers(http.headers, directory, environment, place)
    return HttpConnector(http, settings.customer, headers, opening.open_tls(http.ca_file, directory, place))


def unreadable_files(settings: CrmSettings, directory: Path) -> list[Finding]:
    """The files with secrets and certificates that `open_connector` would refuse, as far as an admin can tell."""
    http = settings.connector.http
    if http is None:
        return []
    return list(opening.unreadable_files(http.headers, http.ca_file, directory, partial(_place, directory)))


def _place(directory: Path, *keys: str) -> tuple[str, int, int]:
    """Where something of the `http` section is written; read anew, as this is asked only when it is at fault."""
    try:
        return FILE, *read_yaml(directory / FILE, shown_as=FILE).place(("connector", "http", *keys))
    except ConfigurationError:  # changed meanwhile
        return FILE, 1, 1
