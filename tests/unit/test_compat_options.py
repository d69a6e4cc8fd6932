"""`compat` in queues.yaml: what it means, and where it means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.acd.compat_rules import CompatRules
from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import Queue
from cordboard.acd.strategies import STRATEGIES
from cordboard.acd.strategies.compat import serves_one_at_a_time
from cordboard.errors import ConfigurationError

AGENTS = "agents:\n  alice: {device: PJSIP/1001, queues: [sales]}\n"


def sales(directory: Path, options: str) -> Queue:
    (directory / "queues.yaml").write_text(f"queues:\n  sales: {options}\n")
    (directory / "agents.yaml").write_text(AGENTS)
    return load_floor_plan(directory).queues["sales"]


def test_the_settings_of_app_queue(tmp_path: Path) -> None:
    queue = sales(tmp_path, "{strategy: 'compat:linear', compat: {penalty_members_limit: 3, autofill: false}}")
    assert (queue.strategy, queue.compat) == ("compat:linear", CompatRules(3, autofill=False))


def test_without_them_it_is_as_in_its_sample_file(tmp_path: Path) -> None:
    assert sales(tmp_path, "{strategy: 'compat:rrmemory'}").compat == CompatRules(0, autofill=True)


def test_they_mean_nothing_to_another_strategy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        sales(tmp_path, "{strategy: round_robin, compat: {autofill: false}}")
    (finding,) = refused.value.findings
    assert (finding.code, finding.line) == ("no-effect", 2)
    assert "compat" in finding.message and "round_robin" in finding.message


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("autofill", [True, False])
def test_which_queues_serve_one_caller_at_a_time(strategy: str, autofill: bool) -> None:
    queue = Queue("q", strategy=strategy, compat=CompatRules(autofill=autofill))  # type: ignore[arg-type]
    of_app_queue = strategy.startswith("compat:")
    assert serves_one_at_a_time(queue) == (strategy == "compat:ringall" or (of_app_queue and not autofill))
