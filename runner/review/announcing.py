"""The message to a webhook: a report in a few lines, as JSON. Pure."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from runner.review import escape, templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.review.model import Report
    from runner.review.templates import Own

logger = logging.getLogger("retrain")
_NAME: Final = "webhook.json.jinja"
_MOST: Final = 5
"""Gates that are named; the page has the others."""
_LONGEST: Final = 300


def announcement(report: Report, title: str, page: str, own: Own | None = None) -> bytes:
    """Give the body of the request.

    Args:
        report: what is told.
        title: its headline.
        page: the run's own page; empty where it has none.
        own: the project's templates; one called `webhook.json.jinja` gives the body. What is wrong with it is told, and
            the runner's own is used.

    """
    facts = _facts(report, title, page)
    try:
        return _checked(templates.rendered(_NAME, facts, own))
    except (templates.BrokenTemplateError, ValueError) as error:
        logger.warning("the webhook is told in the runner's own words: %s", error)
        return _checked(templates.rendered(_NAME, facts))


def _checked(text: str) -> bytes:
    """Give the body as it is sent, without the template's blanks.

    Raises:
        ValueError: it is no JSON.

    """
    try:
        return json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace")
    except ValueError as error:
        message = f"{_NAME} does not give JSON: {error}"
        raise ValueError(message) from error


def _facts(report: Report, title: str, page: str) -> dict[str, Any]:
    gates = [f"{row.gate}: {row.why}" for row in report.gates if row.exits]
    stages = [f"{row.stage}: {row.why}" for row in report.stages if row.decision == "failed"]
    said = [escape.clean(line, _LONGEST) for line in (*stages, *gates)]
    lines = [*said[:_MOST], *([f"and {len(said) - _MOST} more"] if len(said) > _MOST else [])]
    text = "\n".join([f"*Retrain: {_slack(title)}*", *(f"• {_slack(line)}" for line in lines)])
    return {
        "text": f"{text}\n<{page}|The run>" if page else text,
        "title": title,
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "page": page,
        "head": report.head.sha,
        "lines": lines,
        "report": _plain(report),
    }


def _plain(report: Report) -> Mapping[str, Any]:
    return {"command": report.command, "version": report.version, "seconds": report.seconds}


def _slack(text: str) -> str:
    """Give text in which Slack finds no mention, link or command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
