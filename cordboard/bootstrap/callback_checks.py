"""What `queues.yaml` says about calling people back, held against flows and settings. Used by `configuration`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from cordboard.acd.model import FloorPlan, Queue
from cordboard.acd.queues_file import FILE
from cordboard.acd.written_values import read_if_there
from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.validation import closest
from cordboard.settings import Settings


def callback_findings(
    root: Path, plan: FloorPlan, settings: Settings, flows: Collection[str] | None
) -> Iterator[Finding]:
    """Queues whose callbacks could not be dialled. flows: all there are, None if that is not known."""
    dialling = [queue for queue in plan.queues.values() if queue.callback or (queue.cut_off and _rings(queue))]
    document = read_if_there(root, FILE) if dialling else None
    for queue in dialling if document is not None else ():
        assert document is not None
        if settings.outside is None:
            yield _nowhere_to_dial(document, queue)
        if queue.callback and queue.callback.flow and flows is not None and queue.callback.flow not in flows:
            flow, way = queue.callback.flow, ("queues", queue.name, "callback", "flow")
            hint = closest(flow, flows) or f"known: {', '.join(sorted(flows)) or 'none yet'}"
            yield document.finding(way, "unknown-flow", f"there is no flow `{flow}`", hint)


def _rings(queue: Queue) -> bool:
    return queue.cut_off is not None and queue.cut_off.ring_back


def _nowhere_to_dial(document: Document, queue: Queue) -> Finding:
    what = "callback" if queue.callback else "cut_off"
    message = f"customers of `{queue.name}` are to be called, and no number outside may be dialled"
    hint = "add `outside:` to cordboard.yaml" + ("" if queue.callback else ", or write `ring_back: false`")
    return document.finding(("queues", queue.name, what), "no-outside-numbers", message, hint, key=True)
