"""Which schema there is for which file: flows with all their nodes, settings, queues, agents, CRM, scenarios,
simulated days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from cordboard.acd.agents_file import AgentsFile
from cordboard.acd.queues_file import QueuesFile
from cordboard.crm.crm_file import CrmSettings
from cordboard.flows.nodes import NODE_TYPES
from cordboard.flows.schema import FlowFrame
from cordboard.schema.draft07 import DEFINITIONS, DRAFT, schema_of, words_of
from cordboard.settings import Numbers, Settings
from cordboard.simulation.caller_steps import STEPS
from cordboard.simulation.flow_tests import TestsFile

Schema = dict[str, Any]


def flow_schema() -> Schema:
    """Of `flows/*.yaml`: a node is one of the types, known by its verb."""
    schema = schema_of(FlowFrame)
    schema["properties"]["nodes"]["additionalProperties"] = _one_of(schema, NODE_TYPES)
    return schema


def tests_schema() -> Schema:
    """Of `tests/*.yaml`."""
    schema = schema_of(TestsFile)
    test = schema["definitions"]["WrittenTest"]
    test["properties"]["caller"]["items"] = _one_of(schema, STEPS)
    return schema


def scenario_schema() -> Schema:
    """Of `scenarios/*.yaml`. Raises ModuleNotFoundError where the test bed is not installed."""
    from cordboard.lab.scenario import ScenarioFile
    from cordboard.lab.scenario_expectations import EXPECTATIONS
    from cordboard.lab.scenario_steps import STEPS as DEEDS

    schema = schema_of(ScenarioFile)
    schema["properties"]["expect"]["items"] = _one_of(schema, EXPECTATIONS)
    caller = schema["definitions"]["CallerPart"]
    caller["properties"]["does"]["items"] = _one_of(schema, DEEDS)
    return schema


def day_schema() -> Schema:
    """Of `scenarios/sim/*.yaml`. Raises ModuleNotFoundError where the test bed is not installed."""
    from cordboard.lab.sim.written_day import SimFile

    return schema_of(SimFile)


_OF_FILES: Mapping[str, Callable[[], Schema]] = {
    "flow": flow_schema,
    "tests": tests_schema,
    "cordboard": lambda: schema_of(Settings),
    "numbers": lambda: schema_of(Numbers),
    "queues": lambda: schema_of(QueuesFile),
    "agents": lambda: schema_of(AgentsFile),
    "crm": lambda: schema_of(CrmSettings),
    "scenario": scenario_schema,
    "day": day_schema,
}

NAMES = tuple(_OF_FILES)
"""The schemas there are."""


def schema(name: str) -> Schema:
    """One of `NAMES`. Raises ModuleNotFoundError for `scenario` and `day` where the test bed is not installed."""
    return {"$schema": DRAFT, "title": f"Cordboard: {name}", **_OF_FILES[name]()}


def _one_of(schema: Schema, models: Mapping[str, type[BaseModel]]) -> Schema:
    """A section which is one of several, known by a key that it must have. Their definitions go into `schema`.

    Each is asked for by its key, instead of by `anyOf`, so that a fault is told where it is and not as a section
    that is none of twenty; `properties` is what an editor offers where nothing is written yet.
    """
    definitions = schema.setdefault("definitions", {})
    offered: Schema = {}
    for key, model in models.items():
        own = schema_of(model)
        definitions.update(own.pop("definitions", {}))
        definitions[model.__name__] = {**own, "description": words_of(model)}
        offered[key] = {"description": words_of(model)}
    return {
        "type": "object",
        "properties": offered,
        "anyOf": [{"required": [key]} for key in models],
        "allOf": [
            {"if": {"required": [key]}, "then": {"$ref": f"{DEFINITIONS}{model.__name__}"}}
            for key, model in models.items()
        ],
    }
