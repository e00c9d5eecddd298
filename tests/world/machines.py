"""A machine: its disk, its clone, its clock, and the command that runs there."""

import contextlib
import io
import shutil
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from support.virtual import Memory, NoUploads

from veogen.cli.runs import print_summary
from veogen.errors import VeogenError
from veogen.executor.connect import expected_of
from veogen.executor.decisions import Resolution
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.run import Dependencies, Outcome, Run, Selection
from veogen.executor.transfer import ClipDownloader
from veogen.planner.plan import Plan
from world.bucket import Bucket
from world.disks import Calls, Disk
from world.gateway import Service, WorldGateway, WorldMedia
from world.kernel import Kernel, Process, WorldClock, WorldWorkers
from world.repository import Branch, Checkout, Conflicts

Kind = Literal["buy", "collect", "resolve"]
_EXPECTED = expected_of()


@dataclass
class Command:
    """One command on one machine, and how it ended: an outcome, a refusal, or its death."""

    kind: Kind
    process: Process
    policy: RunPolicy
    hashes: frozenset[str]
    run: Run | None = None
    outcome: Outcome | None = None
    refusal: VeogenError | None = None
    bug: BaseException | None = None
    summary: str = ""
    notes: list[str] = field(default_factory=list)
    done: bool = False
    removed_at: float | None = None
    died_at: float | None = None
    interrupted_at: float | None = None
    ended_at: float | None = None
    left_at: float | None = None
    """When it left at once, at a second Ctrl-C, or at one before it had begun."""
    harmed: bool = False
    """Clips were harmed while it was on: it may have looked at them before."""

    @property
    def result(self) -> str:
        if self.outcome is not None:
            stop = f" ({self.outcome.stop.message})" if self.outcome.stop else ""
            return f"exit {int(self.outcome.code)}{stop}"
        if self.refusal is not None:
            return f"exit {int(self.refusal.exit_code)}: {self.refusal}"
        if self.left_at is not None:
            return "left at once"
        return f"bug: {self.bug!r}" if self.bug is not None else "died"


@dataclass
class Death:
    """After so many calls, of a kind if it is given."""

    calls: int
    of: str | None
    power: bool


class Machine:
    """One of the team's computers."""

    def __init__(
        self, name: str, folder: Path, kernel: Kernel, service: Service, branch: Branch,
        *, keeps_synced: bool, bucket: Bucket | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.disk = Disk(folder / name, keeps_synced=keeps_synced)
        self.path = self.disk.folder / "trip"
        self.aside = self.disk.folder / "aside.db"
        self.path.mkdir(parents=True)
        self.checkout = Checkout(branch, self.path / "results.json")
        self.clock = WorldClock(kernel)
        self.command: Command | None = None
        self.calls = 0
        self.death: Death | None = None
        self.signal: tuple[int, float | None] | None = None
        self.in_step = True
        self.lost_power = False
        self.died_at: float | None = None
        self.cloned_at = 0.0
        self.old_journal: bytes | None = None
        self._bucket = bucket
        self._kernel = kernel
        self._service = service

    @property
    def running(self) -> bool:
        return self.command is not None and not self.command.done

    @property
    def has_run(self) -> bool:
        return (self.path / "results.json").exists() or (self.path / "journal.db").exists()

    @property
    def has_parts(self) -> bool:
        """Whether anything is left of a download."""
        return any(self.path.glob("videos/**/.*.part*"))

    def start(
        self,
        kind: Kind,
        calls: Calls,
        random: Random,
        *,
        plan: Plan | None = None,
        policy: RunPolicy | None = None,
        selected: frozenset[str] = frozenset(),
        decisions: Sequence[Resolution] = (),
    ) -> Command:
        """Begin a command; it goes on as the world's time does."""
        process = Process(self._kernel, f"{self.name}:{kind}:{self.calls}", random)
        command = Command(kind, process, policy or RunPolicy(), selected)
        self.command = command
        dependencies = self._dependencies(process, calls)

        def carry_out() -> None:
            memory = Memory(notes=command.notes)
            opened = open_run(
                self.path,
                plan=plan,
                dependencies=dependencies,
                policy=command.policy,
                listener=memory,
                selection=Selection(
                    buy=kind == "buy", selected=selected if kind == "buy" else None
                ),
                follow=kind != "resolve",
            )
            with opened as run:
                command.run = run
                if kind == "resolve":
                    command.outcome = run.decide(decisions, command.notes.append)
                else:
                    run.check_places()
                    run.check_money()
                    command.outcome = run.run(max_credits=command.policy.max_credits)

        process.start(lambda: self._to_its_end(command, carry_out))
        return command

    def _to_its_end(self, command: Command, carry_out: Callable[[], None]) -> None:
        try:
            carry_out()
        except VeogenError as error:
            command.outcome, command.refusal = None, error
        except KeyboardInterrupt:
            command.outcome = None
            command.left_at = command.died_at = self._kernel.now
            self.in_step = False
        except Exception as error:  # noqa: BLE001 - a bug is one of the things that are looked for
            if command.process.alive:
                command.outcome, command.bug = None, error
                command.notes.append("".join(traceback.format_exception(error)[-4:]))
        if command.process.alive:
            self._kernel.at(self._kernel.now, lambda: self._ended(command))

    def _ended(self, command: Command) -> None:
        """The process exits: its threads end with it, wherever they are."""
        if command.done:
            return
        command.process.end()
        command.ended_at = self._kernel.now
        if command.outcome is not None:
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                print_summary(self.path, command.outcome)
            command.summary = said.getvalue()
            journal = self.path / "journal.db"
            if journal.is_file():
                self.in_step = True
        command.done = True

    def keep_journal(self) -> None:
        """Somebody makes a copy of the journal, which is whole by itself: no log lies beside it."""
        journal, log = self.path / "journal.db", self.path / "journal.db-wal"
        if journal.is_file() and not log.exists() and not self.running and self.in_step:
            self.old_journal = journal.read_bytes()

    def restore_old_journal(self) -> None:
        """Somebody puts the copy back, under the results of today."""
        if self.old_journal and not self.running and self.in_step:
            (self.path / "journal.db-wal").unlink(missing_ok=True)
            (self.path / "journal.db").write_bytes(self.old_journal)

    def fill_disk(self, seconds: float) -> None:
        self.disk.fills = True
        self._kernel.at(self._kernel.now + seconds, lambda: setattr(self.disk, "fills", False))

    def freeze(self, seconds: float) -> None:
        if self.command is not None:
            self.command.process.frozen_until = self._kernel.now + seconds

    def interrupt(self, again: float | None) -> None:
        """Somebody presses Ctrl-C, perhaps once more after so many seconds."""
        command = self.command
        if command is None or command.done or not command.process.alive:
            return
        if command.run is None:
            command.process.signalled = True
            return
        command.interrupted_at = self._kernel.now
        command.run.scheduler.interrupt()
        if again is not None:
            process = command.process
            self._kernel.at(self._kernel.now + again, lambda: setattr(process, "signalled", True))

    def interrupt_later(self, calls: int, again: float | None) -> None:
        """After so many calls from now."""
        self.signal = calls, again

    def take_signal(self) -> None:
        """It makes one more call: the one at which a signal comes, perhaps."""
        if self.signal is not None:
            left, again = self.signal
            self.signal = (left - 1, again) if left > 1 else None
            if self.signal is None:
                self.interrupt(again)

    def lose_clips(self) -> None:
        self._harm_command()
        shutil.rmtree(self.path / "videos", ignore_errors=True)

    def cut_clip(self, which: int, how: str) -> None:
        """Somebody empties a clip, cuts it, or writes something else into it."""
        self._harm_command()
        clips = sorted(self.path.glob("videos/**/*.mp4"))
        if clips:
            clip = clips[which % len(clips)]
            content = clip.read_bytes()
            harmed = {"empty": b"", "cut": content[: len(content) // 2]}
            clip.write_bytes(harmed.get(how, b"x" * len(content)))

    def _harm_command(self) -> None:
        if self.command is not None and not self.command.done:
            self.command.harmed = True

    def die_later(self, calls: int, *, of: str | None, power: bool) -> None:
        """Die at the n-th call from now, of those of a kind if it is given."""
        self.death = Death(calls, of, power)

    def is_its_last(self, kind: str) -> bool:
        """Whether it dies at this call; it has died then."""
        death = self.death
        if death is None or death.of not in (None, kind):
            return False
        death.calls -= 1
        if death.calls > 0:
            return False
        self.death = None
        self.die(power=death.power)
        return True

    def die(self, *, power: bool = False) -> None:
        """The process is killed, or the machine loses its power, at this very moment."""
        command = self.command
        if command is None or command.done or not command.process.alive:
            return
        self.lost_power = power
        self.died_at = command.died_at = self._kernel.now
        left = self.disk.kill(power=power)
        command.process.alive = False
        self.in_step = False
        self._kernel.at(self._kernel.now, lambda: self._dead(command, left))

    def _dead(self, command: Command, left: Path) -> None:
        command.process.end()
        self.disk.restore(left)
        command.outcome = None
        command.done = True

    def pull(self, conflicts: Conflicts = "theirs") -> None:
        """Where lines gave way to others' the journal knows more than the results."""
        clean = self.checkout.pull(conflicts)
        self.disk.written_by_others(str(self.checkout.file))
        if not clean and (self.path / "journal.db").is_file():
            self.in_step = False

    def take_from_git(self) -> None:
        """Somebody checks out what everybody has, in place of the results here."""
        self.checkout.fresh()
        self.disk.written_by_others(str(self.checkout.file))

    def remove_run(self) -> None:
        """Somebody takes the run directory away, whatever goes on there."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._has_lost_files()

    def move_journal(self, what: str) -> None:
        """Somebody moves the journal aside, or deletes the file that keeps others out."""
        if what == "lock":
            (self.path / ".lock").unlink(missing_ok=True)
        else:
            (self.path / "journal.db").replace(self.aside)
        self._has_lost_files()

    def _has_lost_files(self) -> None:
        if self.command is not None and not self.command.done:
            self.command.removed_at = self._kernel.now

    def clone(self) -> None:
        """A fresh clone in place of all that is here."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self.old_journal = None
        self.cloned_at = self._kernel.now
        self.take_from_git()

    def _dependencies(self, process: Process, calls: Calls) -> Dependencies:
        media = WorldMedia(self._service, process, calls)
        return Dependencies(
            gateway=WorldGateway(self._service, process, calls),
            gateway_name="evolink",
            downloader=lambda path: ClipDownloader(media, path, _EXPECTED),
            uploads=lambda _: NoUploads(),
            clock=self.clock,
            workers=lambda: WorldWorkers(process),
            random=process.random.random,
            store=self._bucket.choice(process, self.clock, calls) if self._bucket else None,
        )
