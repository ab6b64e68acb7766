"""Templates of a dvc.yaml filled in: `${...}` in any value, stages of `foreach` and `matrix`. DVC's rules.

What is wrong is noted on the page of the dvc.yaml, each expression with its place; reading goes on.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import groups, shape
from runner.pipeline.addresses import JOIN
from runner.pipeline.expressions import ESCAPED, OPENING, Unresolved, compiled
from runner.pipeline.unpack import to_text
from runner.pipeline.variables import Merged, Variable, plain
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.pipeline.context import Context
    from runner.pipeline.expressions import Expression
    from runner.pipeline.shape import Page, Where
    from runner.pipeline.unpack import Unpacking
    from runner.pipeline.variables import Node, Scope

_ANYTHING: Final = ""
_CMD: Final = "cmd"


@dataclass(frozen=True, slots=True)
class Definition:
    """A stage as written, with every expression filled in.

    Attributes:
        name: in its dvc.yaml: `train`, `train@a`.
        spec: its keys and values.
        at: its place in the document; of a generated stage, that of what it was generated from.
        used: the variables it uses of files: file -> dotted keys, in order of use.
        is_filled: whether it went through a template, so that its values are to be checked again.

    """

    name: str
    spec: Mapping[str, Any]
    at: Where
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_filled: bool = False


@dataclass(frozen=True)
class Template:
    """Fills in one dvc.yaml.

    Attributes:
        page: the dvc.yaml; takes the mistakes.
        context: reads variables.
        scope: the variables that all of it sees; `None` where they cannot be told, and nothing can be filled in.
        unpacking: how mappings become options of a command.
        folder: where the dvc.yaml lies, repository-relative.

    """

    page: Page
    context: Context
    scope: Scope | None
    unpacking: Unpacking
    folder: str

    def value(self, value: Any, at: Where) -> Any:  # noqa: ANN401 - any value of a document
        """Fill in a value outside stages (`metrics`, `plots`, `artifacts`, ...): an expression may be of any shape.

        Args:
            value: as written.
            at: its place in the document.

        Returns:
            The value; where something is wrong, which is noted, as written in that part.

        """
        return value if self.scope is None else _Filling(self, self.scope).value(value, at, _ANYTHING)

    def stage(self, name: str, spec: Mapping[str, Any], at: Where) -> Iterator[Definition]:
        """Fill in a stage that is written out; nothing where it has mistakes, which are noted."""
        if self.scope is not None:
            yield from self._filled(name, spec, at, self.scope)

    def foreach(self, name: str, data: Any, spec: Mapping[str, Any], at: Where) -> Iterator[Definition]:  # noqa: ANN401
        """Fill in the stages of a `foreach`.

        Args:
            name: of the group.
            data: what stands below `foreach`.
            spec: what stands below `do`.
            at: the group's place in the document.

        """
        yield from self._generated(name, data, spec, (*at, "foreach"), (*at, "do"))

    def matrix(self, name: str, spec: Mapping[str, Any], at: Where) -> Iterator[Definition]:
        """Fill in the stages of a `matrix`, which stands among the other keys of the stage."""
        rest = {key: value for key, value in spec.items() if key != "matrix"}
        yield from self._generated(name, spec["matrix"], rest, (*at, "matrix"), at)

    def _generated(
        self,
        name: str,
        data: Any,  # noqa: ANN401 - any value of a document
        spec: Mapping[str, Any],
        source: Where,
        at: Where,
    ) -> Iterator[Definition]:
        if self.scope is None:
            return
        filling = _Filling(self, self.scope, keeps_variables=True)
        resolved = filling.value(data, source, _ANYTHING)
        if filling.failed:
            return
        try:
            make = groups.foreach if source[-1] == "foreach" else groups.matrix
            members = make(resolved)
        except Unresolved as error:
            self.page.wrong(source, error.message, error.hint)
            return
        for key, items in members.items():
            yield from self._filled(f"{name}{JOIN}{key}", spec, at, self.scope.of(items))

    def _filled(self, name: str, spec: Mapping[str, Any], at: Where, scope: Scope) -> Iterator[Definition]:
        filling = _Filling(self, scope)
        if spec.get("vars"):
            own = self._own_scope(name, spec, at, scope)
            if own is None:
                return
            filling = _Filling(self, own)
        filled = {key: filling.value(value, (*at, key), key) for key, value in spec.items() if key != "vars"}
        if not filling.failed:
            used = {file: tuple(keys) for file, keys in filling.used.items()}
            yield Definition(name, filled, at, used, is_filled=True)

    def _own_scope(self, name: str, spec: Mapping[str, Any], at: Where, scope: Scope) -> Scope | None:
        """Read the stage's `vars`; their files start from its wdir, which cannot use them."""
        filling = _Filling(self, scope)
        wdir = filling.value(spec.get("wdir", ""), (*at, "wdir"), "wdir")
        if filling.failed:
            return None
        from_wdir = shape.relative(self.folder, str(wdir) or ".", self.context.root)
        return self.context.of_stage(scope, spec["vars"], from_wdir, (*at, "vars"), name)


@dataclass
class _Filling:
    """Fills in values seen from one scope.

    Attributes:
        template: the dvc.yaml.
        scope: the variables.
        keeps_variables: whether a value that is one expression stays a variable, for `foreach` and `matrix`.
        used: the variables used of files.
        failed: whether something was wrong.

    """

    template: Template
    scope: Scope
    keeps_variables: bool = False
    used: dict[str, dict[str, None]] = field(default_factory=dict)
    failed: bool = False

    def value(self, value: Any, at: Where, section: str) -> Any:  # noqa: ANN401 - any value of a document
        """Fill in a value and everything in it.

        Args:
            value: as written.
            at: its place.
            section: the key of the stage it stands below, where only scalars may be put in, below `cmd` mappings
                too; `_ANYTHING` outside stages.

        """
        if isinstance(value, str):
            return self._text(value, at, section) if OPENING in value else value
        if isinstance(value, dict):
            return {
                self._key(key, (*at, key), section): self.value(inner, (*at, key), section)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self.value(inner, (*at, number), section) for number, inner in enumerate(value)]
        return value

    def _key(self, key: Any, at: Where, section: str) -> Any:  # noqa: ANN401 - YAML's keys
        if not isinstance(key, str) or OPENING not in key:
            return key
        filled = self._text(key, at, section)
        if not isinstance(filled, (Variable, Merged, dict, list)):
            return filled
        self._wrong(
            at, Unresolved(f"{key} cannot be a key", "put a text beside the expression, or write the key out", key)
        )
        return key

    def _text(self, written: str, at: Where, section: str) -> Any:  # noqa: ANN401 - an expression may be any value
        try:
            text = compiled(written)
            if text.whole is not None:
                node = self._find(text.whole, section)
                return node if self.keeps_variables else plain(node)
        except Unresolved as error:
            self._wrong(at, error)
            return written
        parts = [part if isinstance(part, str) else self._inserted(part, at, section) for part in text.parts]
        return "".join(parts).replace(ESCAPED, OPENING)

    def _inserted(self, expression: Expression, at: Where, section: str) -> str:
        try:
            return to_text(plain(self._find(expression, section)), self.template.unpacking)
        except Unresolved as error:
            self._wrong(at, Unresolved(error.message, error.hint, expression.text))
            return expression.text

    def _find(self, expression: Expression, section: str) -> Node:
        node = self.scope.find(expression)
        value = node.value if isinstance(node, Variable) else {}
        if isinstance(value, (dict, list)):
            if section and not (section == _CMD and isinstance(value, dict)):
                kind = "a list" if isinstance(value, list) else "a mapping"
                message = f"{expression.text} is {kind}, which cannot stand here"
                raise Unresolved(message, "name one value in it", expression.text)
        elif isinstance(node, Variable) and node.in_file:
            self.used.setdefault(node.source, {})[node.path] = None
        return node

    def _wrong(self, at: Where, error: Unresolved) -> None:
        self.failed = True
        self.template.page.wrong(at, error.message, error.hint, text=error.text)
