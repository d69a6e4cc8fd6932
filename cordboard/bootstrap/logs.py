"""Where log lines go: one JSON object a line, or coloured text on a terminal. Personal fields are hidden here."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from cordboard.bootstrap.log_writer import LogWriterFactory
from cordboard.redaction import redactor
from cordboard.settings import Log

Fields = MutableMapping[str, Any]
Processor = Callable[[Any, str, Fields], Any]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(log: Log, **bound: Any) -> None:
    """Set up structlog for this process; `bound` fields (worker=0) stand in every line.

    The libraries' own loggers go to standard error from level WARNING.
    """
    as_console = log.format == "console" or (log.format == "auto" and sys.stdout.isatty())
    structlog.configure(
        processors=[
            _completer(bound),
            structlog.processors.format_exc_info,
            redactor(log.numbers),
            structlog.dev.ConsoleRenderer() if as_console else _render_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[log.level]),
        logger_factory=structlog.PrintLoggerFactory() if as_console else LogWriterFactory(sys.stdout.fileno()),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)


def _completer(bound: Mapping[str, Any]) -> Processor:
    """A processor that adds level, time and the process's own fields; one step, as it runs for every line."""

    def complete(_logger: Any, method: str, fields: Fields) -> Fields:
        fields["level"] = method
        fields["at"] = datetime.now(UTC).isoformat(timespec="microseconds")
        for name, value in bound.items():
            fields.setdefault(name, value)
        return fields

    return complete


def _render_json(_logger: Any, _method: str, fields: Fields) -> bytes:
    return orjson.dumps(fields, default=str)
