"""Room 10: one report to every surface: files, step summary, outputs, annotations, comment. Always happens.

The renderers and the HTTP client are imported where they are used: a run that nobody reads a report of does not pay.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import durable, log
from runner.errors import ConfigError, ForgeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.ci import Asked
    from runner.opening import Opened
    from runner.review.model import Report
    from runner.settings import Settings

logger = logging.getLogger("retrain")
_MARKER_ROOM = 300
_MOST_ANNOTATIONS = 10


def tell(report: Report, opened: Opened) -> int:
    """Tell everybody; give the exit code, which no failure to tell can turn green."""
    asked = opened.asked
    files = _written(report, asked.settings)
    _annotate(report)
    url = ""
    if asked.settings.actions:
        url = _commented(report, asked, opened.prefix)
        _summarise(report, asked)
        write_outputs(asked, {**_outputs(report), **_relative(files, asked), "comment-url": url})
    return report.exit_code


def again(settings: Settings) -> Report:
    """Read `report.json` in the report directory, and render the other files from it."""
    folder = _folder(settings) or settings.directory
    place = folder / "report.json"
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{place} cannot be read: {error}"
        raise ConfigError(message, "name the folder that holds report.json with --report-dir") from error
    from runner.review import report as rendering  # noqa: PLC0415 - see the top

    report = rendering.from_json(text, str(place))
    _write(report, folder)
    return report


def data(report: Report) -> Any:  # noqa: ANN401 - JSON
    """Give a report as report.json holds it."""
    from runner.review import report as rendering  # noqa: PLC0415 - see the top

    return json.loads(rendering.to_json(report))


def gate_data(report: Report) -> dict[str, Any]:
    """Give the verdicts as `retrain gate --json` prints them."""
    whole = data(report)
    names = ("gate", "metric", "path", "status", "base", "head", "delta", "limit", "why")
    return {
        "verdict": whole["verdict"],
        "base": whole["base"] and {"sha": whole["base"]["sha"], "how": whole["base"]["how"]},
        "gates": [{name: row[name] for name in names} for row in whole["gates"]],
    }


def _folder(settings: Settings) -> Path | None:
    return settings.directory / settings.report_dir if settings.report_dir else None


def _written(report: Report, settings: Settings) -> dict[str, Path]:
    folder = _folder(settings)
    return _write(report, folder) if folder else {}


def _write(report: Report, folder: Path) -> dict[str, Path]:
    from runner.review import report as rendering  # noqa: PLC0415 - see the top

    texts = {
        "json": rendering.to_json(report),
        "md": rendering.to_markdown(report, budget=1 << 20),
        "html": rendering.to_html(report),
    }
    places = {f"report-{kind}": folder / f"report.{kind}" for kind in texts}
    for kind, text in texts.items():
        durable.write(places[f"report-{kind}"], log.masked(text).encode())
    return places


def _relative(files: Mapping[str, Path], asked: Asked) -> dict[str, str]:
    """Give paths as the next step can use them: relative to the workspace, which a container sees elsewhere."""
    workspace = asked.settings.actions.workspace if asked.settings.actions else ""
    names = {}
    for name, place in files.items():
        inside = bool(workspace) and place.is_relative_to(workspace)
        names[name] = str(place.relative_to(workspace)) if inside else str(place)
    return names


def _annotate(report: Report) -> None:
    """Show failing gates beside their line in the gate file; GitHub shows ten of a kind."""
    bad = [verdict for verdict in report.gates if verdict.status != "passed"]
    for verdict in sorted(bad, key=lambda verdict: not verdict.exits)[:_MOST_ANNOTATIONS]:
        level = "error" if verdict.exits else "warning"
        message = f"{verdict.metric} {verdict.path} {verdict.status}: {verdict.why}"
        log.annotation(level, message, file=verdict.where.file, line=verdict.where.line, title=verdict.gate)  # type: ignore[arg-type]
    if report.error:
        where = report.error.where
        text = f"{report.error.message}\n  {report.error.hint}" if report.error.hint else report.error.message
        log.annotation("error", text, file=where.file if where else "", line=where.line if where else 0)


def _summarise(report: Report, asked: Asked) -> None:
    from runner.forge import github  # noqa: PLC0415 - see the top

    actions = asked.settings.actions
    if actions and actions.summary:
        github.append_summary(Path(actions.summary), _markdown(report, 1_000_000))


def write_outputs(asked: Asked, outputs: Mapping[str, str]) -> None:
    """Write the action's outputs, if this is a GitHub job."""
    from runner.forge import github  # noqa: PLC0415 - see the top

    actions = asked.settings.actions
    if actions and actions.output:
        github.write_outputs(Path(actions.output), outputs)


def _outputs(report: Report) -> dict[str, str]:
    stale = [row.stage for row in report.stages if row.decision not in {"fresh", "frozen"}]
    return {
        "verdict": report.verdict,
        "changed": "true" if stale else "false",
        "stale-stages": "\n".join(stale),
        "pulled-bytes": str(report.pulled.bytes),
        "pushed-bytes": str(report.pushed.bytes),
    }


def _commented(report: Report, asked: Asked, prefix: str) -> str:
    """Post the sticky comment where there is a pull request; a refusal is said, and the summary has it all."""
    from runner.forge import github  # noqa: PLC0415 - see the top

    settings, event, actions = asked.settings, asked.event, asked.settings.actions
    if actions is None or event.number is None or settings.comment == "off":
        return ""
    if not event.may_comment or not settings.token:
        why = event.why if not event.may_comment else "the input github-token is empty"
        logger.info("no comment: %s; the report is in the step summary", why)
        return ""
    body = _markdown(report, github.COMMENT_LIMIT - _MARKER_ROOM)
    client = github.GitHub(actions.api_url, actions.repository, settings.token)
    try:
        marker = github.hidden_marker(f"{actions.repository}/{prefix.rstrip('/')}".rstrip("/"))
        return client.upsert_comment(event.number, marker, body, settings.comment)
    except ForgeError as error:
        logger.warning("%s; the report is in the step summary", error)
        return ""


def _markdown(report: Report, budget: int) -> str:
    from runner.review import report as rendering  # noqa: PLC0415 - see the top

    return log.masked(rendering.to_markdown(report, budget=budget))
