"""What several stages do side by side: each is a generator that says what it waits for, and goes on when it has that.

Everything that is shared (lock, workspace, what is known) is touched by the one thread that steps the generators,
between two waits; what blocks is given away to threads. So neither this nor a stage's course needs a lock.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self, TypeVar

from runner.engine.room import admitted, handed_out
from runner.engine.workers import Done, Workers
from runner.errors import Interrupted
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import TracebackType

    from runner.pipeline.wishes import Resources

_PATIENCE = 6.0
"""Seconds that an interrupted run waits for its commands, which are insisted on after four."""


@dataclass(frozen=True, slots=True)
class Turn:
    """To wait for: room on the machine for a command. It is kept to the end of the course, or to its next turn.

    What is sent then are the names of the GPUs that are the course's alone meanwhile.
    """

    asked: Resources


Result = TypeVar("Result")
if TYPE_CHECKING:
    Wait = Turn | Callable[[], object]
    """A turn, or work that blocks and touches nothing shared; what it gives is sent, what it raises is thrown."""
    Course = Generator[Wait, Any, Result]


class Courses:
    """The courses under way, each under the address of its stage."""

    def __init__(self, whole: Resources, stop: Callable[[], object], gpus: Sequence[str] = ()) -> None:
        """Share a machine that has `whole`, and `gpus` by name; `stop` ends the commands that run on it."""
        self._whole = whole
        self._gpus = gpus
        self._given: dict[str, tuple[str, ...]] = {}
        self._stop = stop
        self._workers = Workers()
        self._courses: dict[str, Course[Any]] = {}
        self._places: dict[str, int] = {}
        self._waiting: dict[str, Resources] = {}
        self._running: dict[str, Resources] = {}
        self._ended: deque[Done] = deque()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the courses that are still under way: commands are ended first, then each undoes what is half done."""
        try:
            if self._running:
                self._stop()
                self._let_end(time.monotonic() + _PATIENCE)
        finally:
            for course in reversed(list(self._courses.values())):
                course.close()
            self._workers.close()

    def _let_end(self, deadline: float) -> None:
        """Wait until nothing is at work for a course that has a turn; what only fetches is not waited for."""
        at_work = self._workers.at_work & self._running.keys()
        while at_work and (left := deadline - time.monotonic()) > 0:
            done = self._workers.next(left)
            at_work -= {done.key} if done else set()

    def begin(self, key: str, place: int, course: Course[Any]) -> None:
        """Take a course up; who has the smaller `place` is served first."""
        self._courses[key], self._places[key] = course, place
        self._step(key, Done(key))

    def ended(self) -> Done | None:
        """Give a course that has ended, and what it gave or raised, as soon as one has; `None` where none is left."""
        while not self._ended and self._courses:
            if not self._serve():
                done = self._workers.next()
                if done and done.key in self._courses:
                    self._step(done.key, done)
        return self._ended.popleft() if self._ended else None

    def dismiss(self) -> list[str]:
        """Leave every course that has had no turn yet; give their keys."""
        keys = [key for key in self._courses if key not in self._running]
        for key in keys:
            self._waiting.pop(key, None)
            self._courses.pop(key).close()
        return keys

    def _serve(self) -> bool:
        """Give turns to those for whom there is room; false where there is for nobody."""
        waiting = {key: self._waiting[key] for key in sorted(self._waiting, key=self._places.__getitem__)}
        chosen = admitted(waiting, self._running.values(), self._whole) if waiting else []
        for key in chosen:
            self._running[key] = self._waiting.pop(key)
            self._given[key] = handed_out(self._running[key].gpu, self._gpus, self._given.values())
        for key in chosen:
            self._step(key, Done(key, self._given[key]))
        return bool(chosen)

    def _step(self, key: str, done: Done) -> None:
        """Let a course go on to its next wait, or to its end."""
        course = self._courses[key]
        try:
            wait = course.throw(done.error) if done.error else course.send(done.answer)
        except StopIteration as end:
            self._end(Done(key, end.value))
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - whoever asks what has ended raises it
            self._end(Done(key, error=error))
        else:
            self._wait(key, wait)

    def _wait(self, key: str, wait: Wait) -> None:
        if isinstance(wait, Turn):
            self._leave(key)
            self._waiting[key] = wait.asked
        else:
            self._workers.start(key, wait)

    def _leave(self, key: str) -> None:
        """Make room for others, if it had a turn."""
        self._running.pop(key, None)
        self._given.pop(key, None)

    def _end(self, done: Done) -> None:
        del self._courses[done.key]
        self._leave(done.key)
        self._ended.append(done)
