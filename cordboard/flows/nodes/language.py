"""`language`: the language of everything said from here on.

spanish: {language: es, next: menu}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, Node
from cordboard.flows.options import NodeOptions

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class LanguageOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "language"

    language: Text
    next: Text

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node, if the flow speaks the language."""
        return LanguageNode(compiler.language(self.language, "language"), compiler.target(self.next, "next"))


@dataclass(frozen=True, slots=True)
class LanguageNode(Node):
    """Changes the language and goes on."""

    language: str
    next: str

    def enter(self, run: FlowRun, now: datetime) -> Go:
        """Speak it from here on."""
        return Go(self.next, language=self.language)


OPTIONS = LanguageOptions
