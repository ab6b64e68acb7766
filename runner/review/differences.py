"""Metrics and params of revisions in the shapes that scripts know from `dvc metrics` and `dvc params`. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from runner.review import figures
from runner.review.metrics import Unreadable, difference, flatten, oddity, presentable
from runner.review.series import Series
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.review.measured import Change, History
    from runner.review.metrics import Documents

PRECISION: Final = 5
"""Digits after the decimal point in tables; JSON is never rounded."""

ABSENT: Final = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; every row is as long as the header."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """One side of a comparison, or one revision of a listing.

    Attributes:
        name: as DVC names it: what was asked for, `workspace`, the names of a commit; empty where there is one only.
        documents: file to its document, or `Unreadable`.

    """

    name: str
    documents: Documents

    @property
    def unreadable(self) -> dict[str, str]:
        """The files that could not be read, and why."""
        return {path: found.why for path, found in self.documents.items() if isinstance(found, Unreadable)}


def changed(changes: Iterable[Change]) -> list[Change]:
    """Give what differs as DVC sees it, by Python's equality: 1, 1.0 and true are one value, NaN is never itself."""
    return [change for change in changes if change.base != change.head or change.why]


def diff_data(changes: Iterable[Change], cwd: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Give changes as `dvc metrics diff --json` does, with `why` beside a null that hides a number that is none.

    Args:
        changes: sorted by file and key.
        cwd: the folder, repository-relative, that paths are shown from.

    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for change in changes:
        row: dict[str, Any] = {"old": change.base, "new": change.head}
        delta = _delta(change)
        row |= {"diff": delta} if delta is not None else {}
        row |= {"why": change.why} if change.why else {}
        found.setdefault(posixpath.relpath(change.path, cwd), {})[change.key] = row
    return found


def _delta(change: Change) -> float | int | None:
    """Give head minus base; to DVC booleans are numbers here."""
    old, new = change.base, change.head
    if isinstance(old, bool) or isinstance(new, bool):
        return new - old if isinstance(old, int | float) and isinstance(new, int | float) else None
    return change.delta


def diff_table(changes: Iterable[Change], cwd: str, headers: Sequence[str], precision: int | None) -> Table:
    """Give changes as DVC's table has them: path, key, both values and, with a fifth header, the difference."""
    rows = [_row(change, cwd, precision) for change in changes]
    return Table(tuple(headers), tuple(row[: len(headers)] for row in rows))


def _row(change: Change, cwd: str, precision: int | None) -> tuple[str, ...]:
    hidden = dict(part.split(" is ", 1) for part in change.why.split(", ") if part)
    base, head = hidden.get("base", change.base), hidden.get("head", change.head)
    values = (_cell(value, precision) for value in (base, head, _delta(change)))
    return (posixpath.relpath(change.path, cwd), change.key, *values)


def without_first(table: Table) -> Table:
    """Leave the first column out."""
    return Table(table.headers[1:], tuple(row[1:] for row in table.rows))


def _cell(value: object, precision: int | None) -> str:
    if value is None:
        return ABSENT
    return str(round(value, precision) if isinstance(value, float) and precision else value)


def show_data(revisions: Iterable[Revision], cwd: str) -> dict[str, dict[str, Any]]:
    """Give metrics as `dvc metrics show --json` does: revision, `data`, file, `data` or `error`."""
    return {
        revision.name: {
            "data": {posixpath.relpath(path, cwd): _shown(document) for path, document in revision.documents.items()}
        }
        for revision in revisions
    }


def _shown(document: object) -> dict[str, Any]:
    if isinstance(document, Unreadable):
        return {"error": {"type": "Unreadable", "msg": document.why}}
    odd = {key: why for key, value in flatten(document).items() if (why := oddity(value))}
    return {"data": _leaves(document), **({"why": odd} if odd else {})}


def _leaves(node: object) -> Any:  # noqa: ANN401 - numbers, booleans and strings, nested as they are in the file
    """Leave out what is no metric: null, lists, empty mappings; of rows the last counts, as in `flatten`."""
    if isinstance(node, Series) and node:
        return _leaves({"-1": node[-1]})
    if not isinstance(node, Mapping):
        return presentable(node) if isinstance(node, int | float | str) else {}
    kept = {key: _leaves(inner) for key, inner in node.items() if isinstance(inner, int | float | str | Mapping)}
    return {key: inner for key, inner in kept.items() if inner != {}}


def show_table(revisions: Iterable[Revision], cwd: str, precision: int) -> Table:
    """Give metrics as DVC's table has them: revision, path, then a column a key, sorted."""
    found = [
        (revision.name, posixpath.relpath(path, cwd), flatten(document))
        for revision in revisions
        for path, document in revision.documents.items()
    ]
    keys = sorted({key for _, _, leaves in found for key in leaves})
    rows = [(name, path, *(_cell(leaves.get(key), precision) for key in keys)) for name, path, leaves in found]
    return Table(("Revision", "Path", *keys), tuple(rows))


def history_table(history: History, cwd: str) -> Table:
    """Give a row for each recorded value, newest commit first, with its change and the inputs that changed."""
    marks = [(mark.sha, f"{mark.stage}: {', '.join(mark.inputs)}") for mark in history.marks]
    rows = []
    for number in range(len(history.commits) - 1, -1, -1):
        sha = history.commits[number].sha
        inputs = "; ".join(text for at, text in marks if at == sha)
        for trend in history.trends:
            value, before = trend.values[number], trend.values[number - 1] if number else None
            delta = difference(before, value)
            if value is not None:
                change = "" if delta is None else figures.signed(delta)
                rows.append(
                    (sha[:7], posixpath.relpath(trend.path, cwd), trend.key, figures.number(value), change, inputs)
                )
    return Table(("Commit", "Path", "Metric", "Value", "Change", "Inputs that changed"), tuple(rows))
