"""The report as data and as files, in a folder that may be written.

The renderers are imported where they are used: a run that nobody reads a report of does not pay.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import composing, durable, inputs, log, presenting
from runner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.review.model import Report
    from runner.review.templates import Own
    from runner.settings import Settings

logger = logging.getLogger("retrain")
_SUFFIXES = {"junit": "xml"}


def named_folder(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Path | None:
    """Give the report directory that the call names; `None` where it names none, or where it would start is not."""
    directory = Path(inputs.early("working-directory", flags, environ)).absolute()
    name = inputs.early("report-dir", flags, environ)
    return directory / name if name and directory.is_dir() else None


def folder_of(chosen: Settings, top: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Path | None:
    """Give the report directory; `None` where none is asked for.

    Args:
        chosen: the settings.
        top: the repository. A folder that only the gate file names came with it, and has to lie inside.
        flags: options by input name; what they or `environ` name may lie anywhere.
        environ: the process's environment.

    Raises:
        ConfigError: it does not.

    """
    if not chosen.report_dir:
        return None
    folder = chosen.directory / chosen.report_dir
    named = inputs.early("report-dir", flags, environ)
    if not named and not folder.resolve().is_relative_to(top.resolve()):
        message = f"report-dir: {chosen.report_dir!r} in the gate file is outside of the repository"
        raise ConfigError(message, "name a folder inside it, or give the folder with --report-dir")
    return folder


def again(folder: Path, root: Path) -> Report:
    """Read `report.json` in `folder`, and render the other files from it, by the templates of the project at `root`."""
    place = folder / "report.json"
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{place} cannot be read: {error}"
        raise ConfigError(message, "name the folder that holds report.json with --report-dir") from error
    from runner.review import report as rendering  # noqa: PLC0415 - see the top

    report = presenting.masked(rendering.from_json(text, str(place)))
    write(report, folder, presenting.own_templates(root))
    return report


def data(report: Report) -> Any:  # noqa: ANN401 - JSON
    """Give a report as report.json holds it."""
    from runner.review import report as rendering  # noqa: PLC0415 - see the top

    return json.loads(rendering.to_json(presenting.masked(report)))


def gate_data(report: Report) -> dict[str, Any]:
    """Give the verdicts as `retrain gate --json` prints them."""
    whole = data(dataclasses.replace(report, metrics=(), params=(), history=None))
    names = ("gate", "metric", "path", "status", "base", "head", "delta", "limit", "why")
    return {
        "verdict": whole["verdict"],
        "base": whole["base"] and {"sha": whole["base"]["sha"], "how": whole["base"]["how"]},
        "gates": [{name: row[name] for name in names} for row in whole["gates"]],
    }


def write(report: Report, folder: Path, own: Own | None = None) -> dict[str, Path]:
    """Write the files; give their places by the names of the outputs."""
    from runner.review import report as rendering  # noqa: PLC0415 - see the top

    texts = {
        "json": rendering.to_json(report),
        "md": rendering.to_markdown(report, budget=1 << 20, own=own),
        "html": rendering.to_html(report, own),
        "junit": rendering.to_junit(report),
    }
    places = {f"report-{kind}": folder / f"report.{_SUFFIXES.get(kind, kind)}" for kind in texts}
    try:
        durable.write(folder / "metrics.txt", rendering.to_openmetrics(report).encode(errors="replace"))
        for kind, text in texts.items():
            durable.write(places[f"report-{kind}"], text.encode())
        if report.plots:
            _write_pictures(report, folder / "plots")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"the report cannot be written to {folder}: {reason}"
        raise ConfigError(message, "name a folder that can be written to with --report-dir") from error
    return places


def _write_pictures(report: Report, folder: Path) -> None:
    """Write the images anew; those of an earlier report are no part of this one."""
    from runner.review import pictures  # noqa: PLC0415 - only reports with plots have any

    for old in folder.glob("[0-9][0-9]-*"):
        old.unlink()
    for name, content in pictures.files(report):
        durable.write(folder / name, content)


def with_logs(report: Report, root: Path, folder: Path) -> dict[str, Path]:
    """Put all that commands printed beside the report, where an artifact takes both; give the folder, if it has any."""
    names = [log.file_of(row.stage) for row in report.stages if row.decision in {"ran", "failed"} and row.seconds]
    there = [name for name in names if (root / composing.LOGS / name).exists()]
    try:
        for name in there:
            (folder / "logs").mkdir(exist_ok=True)
            durable.write(folder / "logs" / name, (root / composing.LOGS / name).read_bytes())
    except OSError as error:
        logger.warning("the logs cannot be written to %s: %s", folder, error.strerror or error)
    return {"logs": folder / "logs"} if there else {}


def relative(files: Mapping[str, Path], workspace: str) -> dict[str, str]:
    """Give paths as the next step can use them: relative to the workspace, which a container sees elsewhere."""
    names = {}
    for name, place in files.items():
        inside = bool(workspace) and place.is_relative_to(workspace)
        names[name] = str(place.relative_to(workspace)) if inside else str(place)
    return names
