"""What a web service is asked with that stands in no YAML file: secrets in headers, one's own authority.

Used when a client is made, at start and at a reload, and by the command line to look at the files beforehand.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from cordboard.config.findings import Finding
from cordboard.config.secret_reference import read_secret
from cordboard.errors import ConfigurationError
from cordboard.http_client.sections import SecretHeader

_CA_HINT = "put the authority's certificate there, as PEM, readable for the user that runs the service"
_HINT = "write the secret into that file (chmod 600), or into the environment of the service"

Headers = Mapping[str, str | SecretHeader]
Place = Callable[..., tuple[str, int, int]]
"""Where something of the service's section is written, given the keys to it: file, line, column."""


def open_headers(headers: Headers, directory: Path, environment: Mapping[str, str], place: Place) -> dict[str, str]:
    """The headers with their secrets. directory: that of the configuration. Raises ConfigurationError."""
    return {name: _header(name, value, directory, environment, place) for name, value in headers.items()}


def open_tls(ca_file: Path | None, directory: Path, place: Place) -> ssl.SSLContext | None:
    """Trust in one authority of one's own instead of the system's; None for the system's.

    Raises ConfigurationError.
    """
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=directory / ca_file)
    except (OSError, ssl.SSLError) as fault:
        message = f"the certificate in file {ca_file} cannot be read: {_in_words(fault)}"
        raise ConfigurationError(
            [Finding(*place("ca_file"), "certificate-unreadable", message, _CA_HINT)]
        ) from fault


def unreadable_files(headers: Headers, ca_file: Path | None, directory: Path, place: Place) -> Iterator[Finding]:
    """The files with secrets and certificates that could not be opened. What comes from the environment is not
    looked at: that of the service is another than that of an admin who checks.
    """
    kept = {name: one for name, one in headers.items() if isinstance(one, SecretHeader) and one.file}
    looks: list[Callable[[], object]] = [
        partial(_header, name, value, directory, {}, place) for name, value in kept.items()
    ]
    looks.append(partial(open_tls, ca_file, directory, place))
    for look in looks:
        try:
            look()
        except ConfigurationError as fault:
            yield from fault.findings


def _header(
    name: str, value: str | SecretHeader, directory: Path, environment: Mapping[str, str], place: Place
) -> str:
    if isinstance(value, str):
        return value
    try:
        secret = read_secret(value, directory, environment)
    except ConfigurationError as fault:
        where = place("headers", name)
        raise ConfigurationError(
            [Finding(*where, one.code, one.message, _HINT) for one in fault.findings]
        ) from fault
    if not (secret.isascii() and secret.isprintable()):
        message = f"the secret for the header {name} holds what no header can: it is not printable ASCII"
        raise ConfigurationError([Finding(*place("headers", name), "secret-unreadable", message, _HINT)])
    return value.prefix + secret


def _in_words(fault: OSError) -> str:
    return "it holds no PEM certificate" if isinstance(fault, ssl.SSLError) else fault.strerror or "refused"
