"""Carrying out the sessions of one command, one after the other, and what to say of it."""

import os
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from veogen.cli.interrupts import interrupts
from veogen.cli.options import SpecOptions
from veogen.cli.verbose import progress_of
from veogen.errors import ExitCode
from veogen.executor.clock import SystemClock
from veogen.executor.life import Stop
from veogen.executor.opening import opened
from veogen.executor.policy import Policy
from veogen.executor.services import Connection, no_project
from veogen.executor.session import Outcome, Session, Wanted
from veogen.planner.plan import Plan
from veogen.progress import listener
from veogen.results.advice import Names
from veogen.spec.model import Spec
from veogen.terminal import Terminal

_ORDER = (ExitCode.INTERRUPTED, ExitCode.STOPPED, ExitCode.INDETERMINATE, ExitCode.INCOMPLETE)

_FILES_OF_A_JOB = 4
"""The lock and the journal with its log and index."""

_OTHER_FILES = 1024
"""For the connections and clips of one run: no two go on at a time."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run directory to use, with a plan to buy or, without one, to collect only.

    `options` are those that made the plan.
    """

    spec: Spec | None
    plan: Plan | None
    directory: Path
    wanted: Wanted
    options: SpecOptions

    @contextmanager
    def opened(
        self, connection: Connection, policy: Policy, given: Mapping[str, Any]
    ) -> Iterator[Session]:
        names = Names(os.path.relpath(self.directory), self._arguments(given))
        with (
            listener(
                progress_of(given),
                directory=self.directory,
                names=names,
                clock=SystemClock(),
                terminal=Terminal(environ=os.environ, data=sys.stdout, messages=sys.stderr),
                retries=policy.task_retries,
            ) as shows,
            opened(
                self.directory,
                plan=self.plan,
                services=connection.services(
                    self._read, self.spec.policy.models if self.spec else None
                ),
                policy=self._policy(policy),
                listener=shows,
                wanted=self.wanted,
            ) as session,
        ):
            yield session

    def _arguments(self, given: Mapping[str, Any]) -> tuple[str, ...]:
        """What has to be typed after `veogen run` to go on with this run."""
        if self.spec is None:
            return ("SPEC",)
        options = self.options
        found = [self.spec.files.shown(self.spec.path), *options.words, *options.selecting]
        found += ["--dir", str(given["directory"])] if given.get("directory") else []
        found += ["--simulate"] if given.get("simulate") else []
        return tuple(found)

    def _policy(self, policy: Policy) -> Policy:
        """The tightest of the spec's budget and the team's limit."""
        return policy.within(
            self.plan.budget.max_credits if self.plan else None,
            self.spec.policy.limits.max_credits if self.spec else None,
        )

    def _read(self, path: PurePosixPath, at_most: int) -> bytes:
        if self.spec is None:
            return no_project(path, at_most)
        return self.spec.files.read(path, at_most)


def allow_files(jobs: int) -> None:
    """Raise the soft limit of open files, which is 256 on some systems, for so many directories."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = jobs * _FILES_OF_A_JOB + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):  # what is open counts; who has too few is told so then
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def carry_out(
    sessions: Sequence[Session], stop: Stop | None, max_credits: Decimal | None
) -> Iterator[Outcome]:
    """Run the sessions in order; after one that had to stop the others only bring home."""
    left = max_credits
    for session in sessions:
        with interrupts(session.runner.interrupt):
            outcome = session.run(stop, max_credits=left)
        if outcome.code == ExitCode.INDETERMINATE:
            _show_candidates(session)
        session.end()
        yield outcome
        if outcome.interrupted:
            return
        stop = stop or outcome.stop
        left = None if left is None else left - outcome.spent


def _show_candidates(session: Session) -> None:
    """What the account's own list knows about requests that nobody is sure of."""
    names = Names(run=os.path.relpath(session.directory.path))
    for entry, task in session.candidates():
        adopt = names.resolve("--adopt", f"{entry.address}={task.id}")
        text = f"{entry.address}: {task.id} ({task.state}) may be its task; if it is, type: {adopt}"
        session.tell(text)


def worst(outcomes: Iterable[Outcome]) -> ExitCode:
    """Of several exit codes the one that matters most."""
    codes = {outcome.code for outcome in outcomes}
    return next((code for code in _ORDER if code in codes), ExitCode.DONE)
