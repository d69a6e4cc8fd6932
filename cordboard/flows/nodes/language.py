"""`language`: the language of everything said from here on.

spanish: {language: es, next: menu}
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, Node
from cordboard.flows.options import NodeOptions, Target

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class LanguageOptions(NodeOptions):
    """Changes the language of everything said from here on."""

    verb: ClassVar[str] = "language"

    language: Text = Field(description="One of the flow's languages.")
    next: Target = Field(description="Where then.")

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node, if the flow speaks the language."""
        language = compiler.language(self.language, "language")
        return LanguageNode(replace(compiler.way(self.next, "next"), language=language))


@dataclass(frozen=True, slots=True)
class LanguageNode(Node):
    """Changes the language and goes on."""

    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Go:
        """Speak it from here on."""
        return self.next


OPTIONS = LanguageOptions
