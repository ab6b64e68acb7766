"""A Python params file as DVC reads it: the literals that it assigns, taken from its syntax tree. It is never run."""

from __future__ import annotations

import ast
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GRAMMAR: Final = f"it is read as Python {sys.version_info.major}.{sys.version_info.minor}, and never run"
_Assignment = ast.Assign | ast.AnnAssign


def parse(text: str, file: str) -> dict[str, Any]:
    """Give what the module assigns, by name.

    DVC's rules: plain and annotated assignments of literals to one name, in the order written, at the top of the
    module; below the name of a class what its body assigns, and the `self.x` of its `__init__`. Everything else is
    passed over: values that have to be computed, what stands below `if` or in other functions, and assignments to
    several names.

    Raises:
        ConfigError: not Python, with line and column; or a literal that no Python could build (`{[1]: 2}`).

    """
    return dict(_assigned(_tree(text, file).body, file))


def _tree(text: str, file: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape such as "\d" is the matter of whoever runs the file
            return ast.parse(text)
    except SyntaxError as error:
        where = Location(file, error.lineno or 1, max(error.offset or 1, 1))
        message = f"not Python: {error.msg}"
        raise ConfigError(message, _GRAMMAR, where) from error
    except (RecursionError, MemoryError) as error:
        message = "Python nested too deeply"
        raise ConfigError(message, "", Location(file)) from error
    except ValueError as error:  # a null byte, before Python 3.12
        message = f"not Python: {error}"
        raise ConfigError(message, _GRAMMAR, Location(file)) from error


def _assigned(body: Iterable[ast.stmt], file: str, *, of_self: bool = False) -> Iterator[tuple[str, Any]]:
    for statement in body:
        if isinstance(statement, _Assignment):
            yield from _assignment(statement, file, of_self=of_self)
        elif isinstance(statement, ast.ClassDef):
            yield statement.name, dict(_assigned(statement.body, file))
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            yield from _assigned(statement.body, file, of_self=True)


def _assignment(statement: _Assignment, file: str, *, of_self: bool) -> Iterator[tuple[str, Any]]:
    name = _name(statement, of_self=of_self)
    if not name or statement.value is None:
        return
    try:
        yield name, ast.literal_eval(statement.value)
    except ValueError:  # no literal
        return
    except (TypeError, RecursionError, MemoryError) as error:
        message = f"the value of {name!r} cannot be built: {error}"
        raise ConfigError(message, "", Location(file, statement.lineno, statement.col_offset + 1)) from error


def _name(statement: _Assignment, *, of_self: bool) -> str:
    """Give the name that is assigned to; empty where DVC sees none."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    target = targets[0]
    if len(targets) > 1:
        return ""
    if isinstance(target, ast.Name):
        return "" if of_self else target.id
    owner = target.value if isinstance(target, ast.Attribute) else None
    return (
        target.attr if isinstance(target, ast.Attribute) and isinstance(owner, ast.Name) and owner.id == "self" else ""
    )
