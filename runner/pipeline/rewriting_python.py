"""One literal in a Python text replaced where it stands."""

from __future__ import annotations

import ast
from typing import Any


def rewritten(text: str, keys: tuple[Any, ...], wanted: Any) -> str:  # noqa: ANN401 - a document is of any shape
    """Give the text with the value at `keys` as in the document `wanted`.

    Raises:
        LookupError: nothing in the text assigns it.

    """
    node, value = _node(text, keys), wanted
    for step in keys:
        value = value[step]
    lines = text.splitlines(keepends=True)
    start, end = _offset(lines, node.lineno, node.col_offset), _offset(lines, node.end_lineno, node.end_col_offset)
    raw = text.encode()
    return (raw[:start] + repr(value).encode() + raw[end:]).decode()


def line(text: str, keys: tuple[Any, ...]) -> int:
    """Give the line, from 1, of the literal at `keys`; raises as `rewritten`."""
    return _node(text, keys).lineno


def _node(text: str, keys: tuple[Any, ...]) -> ast.expr:
    statements: list[ast.stmt] = list(ast.parse(text).body)
    node: ast.expr | None = None
    for step in keys:
        if node is None:
            found = _assigned(statements, step)
            statements = found if isinstance(found, list) else []
            node = None if isinstance(found, list) else found
        else:
            node = _part(node, step)
    if node is None:
        raise LookupError(keys)
    return node


def _assigned(body: list[ast.stmt], name: str) -> ast.expr | list[ast.stmt]:
    """Give what the last assignment to `name` assigns, or the body of the class of that name."""
    found: ast.expr | list[ast.stmt] | None = None
    for statement in body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            found = statement.body
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            found = _of_self(statement.body, name) or found
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id == name:
                found = statement.value
    if found is None:
        raise LookupError(name)
    return found


def _of_self(body: list[ast.stmt], name: str) -> ast.expr | None:
    values = [
        statement.value
        for statement in body
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Attribute) and target.attr == name
    ]
    return values[-1] if values else None


def _part(node: ast.expr, step: Any) -> ast.expr:  # noqa: ANN401 - a key or an index
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [inner for key, inner in pairs if key is not None and ast.literal_eval(key) == step][-1]
    if isinstance(node, (ast.List, ast.Tuple)):
        member: ast.expr = node.elts[step]
        return member
    raise LookupError(step)


def _offset(lines: list[str], line: int | None, column: int | None) -> int:
    """Give the byte at a line, from 1, and a column, in bytes from 0: Python's own way of counting."""
    return sum(len(one.encode()) for one in lines[: (line or 1) - 1]) + (column or 0)
