"""The premises of simulated calls, made from a configuration directory or from one flow's file alone.

Called by the command line and the benchmarks. Neither secrets nor the database are touched.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cordboard.bootstrap.configuration import load_configuration, read_surroundings
from cordboard.config.yaml_reader import read_yaml
from cordboard.flows.loader import load_flow
from cordboard.flows.surroundings import Surroundings
from cordboard.simulation.coverage import Coverage, FlowCoverage
from cordboard.simulation.files import load_all
from cordboard.simulation.premises import Premises
from cordboard.simulation.suite import Played, play_all
from cordboard.telephony.dial_policy import DialPolicy

# What a flow may name where nobody has said what there is: every extension, and whatever else.
_ANYTHING = Surroundings(
    dial_policy=DialPolicy.of({"X" * digits: "SIMULATED/{extension}" for digits in range(1, 9)}),
    queues=None,
    customer_fields=None,
    agents=None,
    is_known=False,
)


def premises_of(directory: Path) -> Premises:
    """Everything that calls find in a configuration. Raises ConfigurationError with every fault."""
    configuration = load_configuration(directory, need_secrets=False)
    return Premises(
        flows=configuration.house.flows,
        numbers=configuration.house.numbers,
        plan=configuration.plan,
        around=read_surroundings(directory) or Surroundings(),
    )


def lone_premises(path: Path) -> Premises:
    """One flow of a file that belongs to no configuration: what it names outside itself is taken to be there, but
    for a customer's fields.

    Raises ConfigurationError with every fault.
    """
    flow = load_flow(read_yaml(path), _ANYTHING)
    return Premises({flow.name: flow})


@dataclass(frozen=True)
class Results:
    """What flow tests came to. coverage: of the flows that were under test; seconds: they took."""

    played: Sequence[Played]
    counts: Coverage
    coverage: Sequence[FlowCoverage]
    seconds: float

    @property
    def node_percent(self) -> float:
        """How much of all these flows was gone through, 0 to 100."""
        nodes = [times for one in self.coverage for times in one.nodes.values()]
        return 100 * sum(1 for times in nodes if times) / len(nodes) if nodes else 100.0

    def coverage_json(self) -> str:
        """The counts of each way, by flow and node, as pictures read them."""
        return json.dumps(self.counts.as_json(), indent=2, sort_keys=True) + "\n"


def played_tests(directory: Path, paths: Sequence[Path], only: str = "") -> Results:
    """The tests of these paths, played. only: what their names must hold.

    Raises ConfigurationError with every fault of the configuration or of the tests.
    """
    premises = premises_of(directory)
    tests = [test for test in load_all(paths, premises) if only.casefold() in test.name.casefold()]
    began = time.perf_counter()
    played = play_all(tests, premises)
    seconds = time.perf_counter() - began
    counts = Coverage()
    for one in played:
        counts.add(one.events)
    flows = {name: premises.flows[name] for name in dict.fromkeys(test.flow.name for test in tests)}
    return Results(played, counts, [counts.of(flow) for flow in flows.values()], seconds)
