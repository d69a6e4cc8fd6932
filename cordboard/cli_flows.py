"""The commands about flows as they were, are and will be: `flow list`, `diff`, `publish` and `rollback`.

Registered by `cli`. Each reads its arguments, calls one function and prints what it returns. Exit codes: 0 good, 1
findings or a name nobody knows, 2 wrong usage, 3 no service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cordboard.cli_faults import clear_words
from cordboard.cli_options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from cordboard.bootstrap.flow_desk import FlowDesk
    from cordboard.bootstrap.requests import Answer
    from cordboard.bootstrap.revisions import KeptRevision

flow_app = typer.Typer(no_args_is_help=True, help="Revisions of flows: what is live, what has changed, and back.")

FlowArgument = Annotated[str, typer.Argument(help="The flow's name.")]
MessageOption = Annotated[str, typer.Option("--message", "-m", help="Why, for those who read the list later.")]


@flow_app.command("list")
def flow_list(
    config: ConfigOption,
    flow: Annotated[str, typer.Argument(help="One flow, with all its revisions; all flows without it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """What is live, since when and by whom; whether a file is ahead of it; and what was refused, if anything."""
    from cordboard.bootstrap.flow_desk import FlowDesk

    with clear_words():
        desk = FlowDesk(config)
        rows = _revision_rows(desk, flow) if flow else _flow_rows(desk)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
    else:
        typer.echo(_table(rows, desk.zone) or "There are no flows: write one into flows/.")
    _tell_refusal(desk, as_json)


@flow_app.command("diff")
def flow_diff(
    config: ConfigOption,
    flow: FlowArgument,
    before: Annotated[str, typer.Argument(help="A revision, or `live`.")] = "live",
    after: Annotated[str, typer.Argument(help="Another one, or `draft`: the file as it is now.")] = "draft",
    as_json: JsonOption = False,
) -> None:
    """What has changed, in words: between what is live and the file, or between two revisions."""
    from cordboard.bootstrap.flow_desk import FlowDesk

    with clear_words():
        changes = FlowDesk(config).diff(flow, before, after)
    for change in changes:
        typer.echo(json.dumps(change.as_json()) if as_json else str(change))
    if not changes and not as_json:
        typer.echo("Nothing that matters in a call.")


@flow_app.command("publish")
def flow_publish(
    config: ConfigOption,
    flows: Annotated[list[str] | None, typer.Argument(help="Only these flows; everything without them.")] = None,
    message: MessageOption = "",
    as_json: JsonOption = False,
) -> None:
    """Have the running service take the files as they are now, after a check of all of them."""
    from cordboard.bootstrap.flow_desk import FlowDesk

    with clear_words():
        desk = FlowDesk(config)
        answer = desk.publish(flows or [], message)
    if answer is None:
        _check_only(config, desk)
        raise typer.Exit(3)
    _tell(answer, as_json)
    raise typer.Exit(0 if answer.is_live else 1)


@flow_app.command("rollback")
def flow_rollback(
    config: ConfigOption,
    flow: FlowArgument,
    revision: Annotated[str, typer.Argument(help="Where to; the one that was live before without it.")] = "",
    message: MessageOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write an earlier text of a flow back into its file, and make it live. The text it replaces is kept."""
    from cordboard.bootstrap.flow_desk import FlowDesk

    with clear_words():
        desk = FlowDesk(config)
        done = desk.roll_back(flow, revision, message)
    if done.kept_as and not as_json:
        typer.echo(f"The text of the file is kept as revision {done.kept_as}.")
    if done.answer is None:
        typer.echo(f"The file holds {done.to} again. {_no_service(desk)}", err=True)
        return
    _tell(done.answer, as_json)
    if not done.answer.is_live:
        typer.echo("The file is as it was.", err=True)
        raise typer.Exit(1)


# What is printed


def _flow_rows(desk: FlowDesk) -> list[dict[str, Any]]:
    states = {"live": "", "changed": "the file differs", "new": "not live yet", "gone": "there is no file"}
    return [
        {"flow": row.name, **(_of_revision(row.live) if row.live else {"revision": ""}), "note": states[row.file]}
        for row in desk.rows()
    ]


def _revision_rows(desk: FlowDesk, flow: str) -> list[dict[str, Any]]:
    return [{"flow": flow, **_of_revision(one), "note": _standing(one)} for one in desk.revisions(flow)]


def _of_revision(one: KeptRevision) -> dict[str, Any]:
    cause = one.cause
    return {
        "revision": one.revision,
        "live_at": one.live_at,
        "by": cause.by,
        "who": cause.who,
        "message": cause.message,
    }


def _standing(one: KeptRevision) -> str:
    return "live" if one.is_live else "" if one.live_at else "never live"


def _table(rows: list[dict[str, Any]], zone: str) -> str:
    from cordboard.bootstrap.trace_report import as_table

    if not rows:
        return ""
    cells = [
        [row["flow"], row["revision"], _clock(row.get("live_at"), zone), row.get("by", ""), row.get("who", ""),
         row["note"], row.get("message", "")]
        for row in rows
    ]  # fmt: skip
    return as_table([["FLOW", "REVISION", "LIVE SINCE", "BY", "WHO", "", "MESSAGE"], *cells])


def _tell_refusal(desk: FlowDesk, as_json: bool) -> None:
    """What was refused and has not been mended."""
    from cordboard.bootstrap.publishing import last_refusal

    refusal = last_refusal(desk.state)
    if refusal is None:
        return
    if as_json:
        typer.echo(json.dumps({"refused": refusal}))
        return
    typer.echo(
        f"\nRefused {_clock(refusal['at'], desk.zone)} ({refusal['by']}); what was live stays live:", err=True
    )
    _tell_findings(refusal["findings"], refusal["message"])


def _tell(answer: Answer, as_json: bool) -> None:
    """What came of a request."""
    if as_json:
        changed = {flow: list(both) for flow, both in answer.changed.items()}
        typer.echo(json.dumps({"live": answer.is_live, "changed": changed, "findings": answer.findings,
                               "message": answer.message}))  # fmt: skip
    elif not answer.is_live:
        _tell_findings(answer.findings, answer.message)
        typer.echo("Refused; what was live stays live.", err=True)
    else:
        for flow, (before, now) in answer.changed.items():
            typer.echo(f"{flow} is live as {now}" + (f", before it {before}" if before else "") if now
                       else f"{flow} is gone, before it {before}")  # fmt: skip
        typer.echo("" if answer.changed else "All of it is live; no flow has changed.", nl=not answer.changed)


def _tell_findings(findings: list[Mapping[str, Any]] | tuple[Mapping[str, Any], ...], message: str) -> None:
    for one in findings:
        typer.echo(f"{one['file']}:{one['line']}:{one['column']}: {one['message']} [{one['code']}]", err=True)
        if one.get("hint"):
            typer.echo(f"    {one['hint']}", err=True)
    if message:
        typer.echo(message, err=True)


def _check_only(config: Any, desk: FlowDesk) -> None:
    """Without a service the files can be checked, at least. Raises ConfigurationError."""
    from cordboard.bootstrap.configuration import load_configuration

    load_configuration(config, need_secrets=False)
    typer.echo(_no_service(desk), err=True)


def _no_service(desk: FlowDesk) -> str:
    return f"No service runs on {desk.state}: it takes the files as they are when it starts."


def _clock(at: float | None, zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" if at else ""
