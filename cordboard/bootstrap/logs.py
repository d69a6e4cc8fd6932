"""Where log lines go: one JSON object a line, or coloured text on a terminal. Personal fields are hidden here.

`configure_logs` may be called again at a reload: loggers that exist already follow, because they share one list of
processors, which is what changes.
"""

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

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50, "exception": 40}

_processors: list[Processor] = []
_writer: LogWriterFactory | None = None


def configure_logs(log: Log, **bound: Any) -> None:
    """Set up structlog for this process; `bound` fields (worker=0) stand in every line.

    A later call takes up another level and style of numbers; `log.format` stays as it was first.
    The libraries' own loggers go to standard error from level WARNING.
    """
    as_console = log.format == "console" or (log.format == "auto" and sys.stdout.isatty())
    is_first = not _processors
    render = structlog.dev.ConsoleRenderer() if as_console else _render_json
    _processors[:] = [
        _completer(bound, _LEVELS[log.level]),
        _tell_exception,
        redactor(log.numbers),
        render if is_first else _processors[-1],
    ]
    if is_first:
        _configure_structlog(as_console)


def close_logs() -> None:
    """Write what is waiting, for a second at most."""
    if _writer is not None:
        _writer.close()


def _configure_structlog(as_console: bool) -> None:
    global _writer
    if not as_console:
        _writer = LogWriterFactory(sys.stdout.fileno())
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=_writer or structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)


def _completer(bound: Mapping[str, Any], lowest: int) -> Processor:
    """A processor that drops what is below the level, and adds level, time and the process's own fields."""

    def complete(_logger: Any, method: str, fields: Fields) -> Fields:
        if _LEVELS.get(method, lowest) < lowest:
            raise structlog.DropEvent
        fields["level"] = method
        fields["at"] = datetime.now(UTC).isoformat(timespec="microseconds")
        for name, value in bound.items():
            fields.setdefault(name, value)
        return fields

    return complete


def _tell_exception(logger: Any, method: str, fields: Fields) -> Fields:
    """The traceback as text. Hot: hardly a line has one."""
    return structlog.processors.format_exc_info(logger, method, fields) if "exc_info" in fields else fields


def _render_json(_logger: Any, _method: str, fields: Fields) -> bytes:
    return orjson.dumps(fields, default=str)
