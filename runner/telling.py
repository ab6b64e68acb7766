"""Room 10: one report to every surface: files, step summary, outputs, annotations, comment, check, status.

It always happens, and what a host refuses costs neither the other surfaces nor the verdict. `forge.protocol` says what
a host is, `filing` writes the files, `pointing` finds the lines that annotations stand at.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from runner import __version__, alarming, composing, filing, inputs, job, log, pointing, presenting, triggered
from runner.errors import ConfigError, Exit, ForgeError, RunnerError
from runner.forge.protocol import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.errors import NothingAsked
    from runner.forge.protocol import Annotation, Forge
    from runner.live import Live
    from runner.opening import Opened
    from runner.review.model import Report, StageRow
    from runner.review.templates import Own

logger = logging.getLogger("retrain")
_LONGEST_TITLE = 250


def tell(report: Report, opened: Opened, folder: Path | None, live: Live) -> int:
    """Tell everybody; give the exit code, which no failure to tell can turn green.

    Args:
        report: what is told; secrets in it are not.
        opened: where it was made.
        folder: where files are written; see `filing.folder_of`. Where they cannot be, the other surfaces are told so.
        live: who has posted meanwhile, and has the host.

    Raises:
        ForgeError: the summary or the outputs cannot be written, on which steps that follow rely.

    """
    try:
        return _told(report, opened, folder, live)
    except ForgeError:
        raise
    except Exception as error:
        _broken_off(error, live)
        raise


def _broken_off(error: Exception, live: Live) -> None:
    """End the check and the status of a run that was stopped, or went wrong, while it told its report."""
    from runner.review import escape  # noqa: PLC0415 - as in `filing`

    text = log.masked(str(error) or type(error).__name__)
    standing = Standing(
        verdict="error",
        exit_code=error.exit_code if isinstance(error, RunnerError) else Exit.BUG,
        title=f"The report could not be told: {escape.clean(text, _LONGEST_TITLE)}",
        render=lambda _: escape.fenced(text.splitlines()),
    )
    forge = live.finished()
    _tried("the check", lambda: forge.check(standing))
    _tried("the status", lambda: forge.status(standing))


def _told(report: Report, opened: Opened, folder: Path | None, live: Live) -> int:
    report = presenting.masked(report)
    own = {} if opened.asked.event.rights.beside_secrets else presenting.own_templates(opened.root)
    code, files = report.exit_code, {}
    try:
        files = {**filing.write(report, folder, own), **filing.with_logs(report, opened.root, folder)} if folder else {}
    except ConfigError as error:
        code = code or error.exit_code
        report = dataclasses.replace(report, notes=(*report.notes, error.message))
        logger.error("%s\n  %s", error.message, error.hint)  # noqa: TRY400 - the reason is in the message
    where = filing.relative(files, job.workspace_of(opened.asked.environ))
    standing = standing_of(report, code, own, pointing.pointed(report, opened.root, opened.prefix))
    live.forge.annotate(standing.annotations)
    try:
        live.forge.summary(standing)
        live.forge.outputs({**_outputs(report), **where})
    except ForgeError as error:
        _posted(dataclasses.replace(standing, exit_code=code or error.exit_code), live.finished())
        raise
    live.forge.outputs(_posted(standing, live.finished()))
    asked = opened.asked
    page = job.page_of(asked.environ)
    alarming.alarm(asked.settings.webhook_url, asked.event, code, lambda: _announced(report, standing, page, own))
    return code


def stopped(  # noqa: PLR0913, PLR0917 - what went wrong, in which call, and whom to tell
    error: Exception,
    environ: Mapping[str, str],
    command: str,
    folder: Path | None,
    forge: Forge,
    prefix: str = "",
) -> None:
    """Tell of an error that came before there was anything to report; the log is told it by whoever ends the process.

    Args:
        error: what went wrong; every problem in it is told.
        environ: the process's environment.
        command: the call as given.
        folder: where files are written, if they are; see `filing.named_folder`.
        forge: the host, as far as it is known what may be said there.
        prefix: the project's folder in the repository, ending in `/`.

    """
    from runner.review.commit import Commit  # noqa: PLC0415 - as in `filing`
    from runner.review.model import Report  # noqa: PLC0415 - as in `filing`

    actions = job.actions_of(environ)
    head = Commit(sha=actions.sha if actions else "")
    blank = Report(version=__version__, verdict="error", exit_code=Exit.BUG, command=command, head=head)
    report = presenting.masked(composing.ended(blank, error))
    found = pointing.mistakes(error, prefix) if isinstance(error, RunnerError) else ()
    standing = standing_of(report, report.exit_code, annotations=found)
    posted = _posted(standing, forge)
    try:
        files = filing.write(report, folder) if folder else {}
        forge.summary(standing)
        forge.outputs({**_outputs(report), **filing.relative(files, job.workspace_of(environ)), **posted})
    except RunnerError as failure:
        logger.warning("%s", failure)
    url = inputs.early("webhook-url", {}, environ)
    try:
        alarming.alarm(
            url,
            triggered.event_of(environ),
            report.exit_code,
            lambda: _announced(report, standing, job.page_of(environ)),
        )
    except ConfigError as failure:
        logger.warning("the webhook is not told: %s", failure)


def ignored(end: NothingAsked, forge: Forge) -> None:
    """Tell the steps that follow, and the job's page, that nothing was asked of us."""
    from runner.review import escape  # noqa: PLC0415 - as in `filing`

    said = f"Nothing was done: {escape.prose(end.message)}."
    forge.summary(Standing(verdict="ignored", title=said, render=lambda _: said))
    forge.outputs({"verdict": "ignored", "changed": "false"})


def standing_of(
    report: Report, code: int, own: Own | None = None, annotations: tuple[Annotation, ...] = ()
) -> Standing:
    """Give the report as a host is told it."""
    from runner.review import escape  # noqa: PLC0415 - as in `filing`
    from runner.review.headline import headline  # noqa: PLC0415 - as in `filing`

    def rendered(budget: int) -> str:
        from runner.review.markdown import to_markdown  # noqa: PLC0415 - as in `filing`: a terminal renders nothing

        return to_markdown(report, budget=budget, own=own)

    return Standing(
        verdict=report.verdict,
        exit_code=code,
        title=escape.clean(str(headline(report)), _LONGEST_TITLE),
        render=rendered,
        annotations=annotations,
    )


def _announced(report: Report, standing: Standing, page: str, own: Own | None = None) -> bytes:
    from runner.review import announcing  # noqa: PLC0415 - as in `filing`

    return announcing.announcement(report, standing.title, page, own)


def _posted(standing: Standing, forge: Forge) -> dict[str, str]:
    """Post what others than this job read; give its addresses by the names of the outputs."""
    comment = _tried("the comment", lambda: forge.comment(standing))
    check = _tried("the check", lambda: forge.check(standing))
    _tried("the status", lambda: forge.status(standing))
    issue = _tried("the issue", lambda: forge.issue(standing))
    return {"comment-url": comment, "check-url": check, "issue-url": issue}


def _tried(surface: str, post: Callable[[], str | None]) -> str:
    """Post to one surface; give its address. A refusal is said, and the summary has it all."""
    try:
        return post() or ""
    except ForgeError as error:
        logger.warning("%s cannot be posted, and the step summary has the report: %s", surface, error)
        return ""


def _outputs(report: Report) -> dict[str, str]:
    stale = [row.stage for row in report.stages if row.decision != "fresh" and _is_news(row)]
    return {
        "verdict": report.verdict,
        "changed": "true" if stale else "false",
        "stale-stages": "\n".join(stale),
        "pull-request-url": report.lock.url if report.lock else "",
        "lock-commit": report.lock.commit if report.lock else "",
        "pulled-bytes": str(report.pulled.bytes),
        "pushed-bytes": str(report.pushed.bytes),
    }


def _is_news(row: StageRow) -> bool:
    """Whether more happened than that absent outs were put back from the cache."""
    put_back = row.decision in {"restored", "frozen"}
    return not put_back or any(reason.change != "out deleted" for reason in row.reasons)
