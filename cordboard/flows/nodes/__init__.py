"""The node types of the flow language: one file each, a type of its own by being there.

A file defines `OPTIONS`, the `NodeOptions` of its type. Nothing else lists the types: the loader, the messages
about unknown verbs and the tests all read `NODE_TYPES`.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from cordboard.flows.options import NodeOptions


def _find_types() -> dict[str, type[NodeOptions]]:
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    types: list[type[NodeOptions]] = [module.OPTIONS for module in modules]
    return {options.verb: options for options in types}


NODE_TYPES = _find_types()
