"""What people do to a machine's files and to git, and what has to be so after it."""

import os
import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from veogen.executor.options import RunPolicy
from world.checker import lines_of, read_manifest
from world.machines import Command, Machine
from world.repository import task_ids
from world.steps import Step

if TYPE_CHECKING:
    from world.play import World

LONGEST = 3 * 24 * 3600.0
"""Seconds within which every command has to end."""

WRITTEN_WITHIN = 0.2
"""Seconds after its answer in which a task id is on the disk: threads wait for each other."""


def remove_run(world: "World", step: Step, machine: Machine) -> None:
    """What is bought by a run after that, or known to it alone, is lost by whoever did it."""
    del step
    command = machine.command
    if command is None or not machine.running:
        return
    machine.remove_run()
    world.let_pass(LONGEST, machine)
    world.look_at_ended()
    journal = machine.path / "journal.db"
    _check_stopped(world, command)
    if not journal.is_file() and world.story.store:
        machine.clone()
    elif not journal.is_file():
        pushed = task_ids(world.branch.head.content)
        world.checker.forgotten |= {
            post.hash
            for post in world.service.posts
            if post.machine == machine.name and post.task not in pushed
        }
        machine.clone()
    if journal.is_file():  # what git has comes back, and what the run knows beside it goes in
        machine.take_from_git()
    machine.in_step = False


def move_journal(world: "World", step: Step, machine: Machine) -> None:
    """A run whose journal or lock is moved stops; who did it brings back what is not there."""
    command = machine.command
    if command is None or command.run is None or not machine.running:
        return
    machine.move_journal(step["how"])
    world.let_pass(LONGEST, machine)
    world.look_at_ended()
    journal = machine.path / "journal.db"
    _check_stopped(world, command)
    if not journal.is_file():
        os.replace(machine.aside, journal)
    machine.aside.unlink(missing_ok=True)


def _check_stopped(world: "World", command: Command) -> None:
    """It says that it stopped, and leaves a journal where one belongs."""
    if command.outcome is None or command.kind == "resolve" or world.story.store:
        return
    name, code = command.process.name, int(command.outcome.code)
    if code not in (3, 130):
        world.checker.violated("exit-code", f"{name} exits {code} though its directory is gone")
    if not (command.outcome.directory / "journal.db").is_file():
        world.checker.violated("journal-gone", f"{name} leaves no journal in its place")


def interrupt(world: "World", step: Step, machine: Machine) -> None:
    """Somebody presses Ctrl-C, now or at a later call, and perhaps again: then it leaves at once."""
    random = Random(step.seed)
    again = random.choice((None, None, 0.0, 1.0, 5.0))
    if random.random() < 0.5:
        machine.interrupt_later(random.randrange(1, 300), again)
    elif machine.running:
        machine.interrupt(again)
        world.let_pass(600.0, machine)


def damage_log(world: "World", step: Step, machine: Machine) -> None:
    """The log of a run that was killed is harmed: an error or the truth, nothing older.

    After a power failure the mark beside it may tell of less: two harms at once are not asked.
    """
    log = machine.path / "journal.db-wal"
    if machine.running or machine.lost_power or not log.is_file() or log.stat().st_size == 0:
        return
    machine.death = None
    whole, known = machine.disk.kill(power=False), _told_to(world, machine)
    _damage(log, step["how"], Random(step.seed))
    command = world.start_buying(machine, Random(step.seed), RunPolicy(budget=world.story.budget))
    world.let_pass(LONGEST, machine)
    world.look_at_ended()
    if command.refusal is not None:
        machine.disk.restore(whole)
        machine.in_step = False
    else:
        shutil.rmtree(whole)
        _check_truth(world, machine, known)


def _told_to(world: "World", machine: Machine) -> set[str]:
    """The tasks that its journal must know: each was answered a while before it died.

    What it bought before it burned, its store has as another machine's, and tells when that is
    silent.
    """
    died = world.kernel.now if machine.died_at is None else machine.died_at
    since = machine.cloned_at if world.story.store else 0.0
    return {
        post.task
        for post in world.service.posts
        if post.machine == machine.name
        and post.task is not None
        and post.heard_at is not None
        and getattr(post.answer, "task_id", None) == post.task
        and post.heard_at < died - WRITTEN_WITHIN
        and post.sent_at >= since
    }


def _check_truth(world: "World", machine: Machine, known: set[str]) -> None:
    """What was opened with a log that was harmed is no older than the whole one."""
    forgotten = known - task_ids(machine.checkout.content)
    if forgotten and world.holder is machine:
        world.checker.violated("damage", f"{machine.name} forgot {sorted(forgotten)}")


def _damage(log: Path, how: str, random: Random) -> None:
    content = bytearray(log.read_bytes())
    if how in ("delete", "alone"):
        log.unlink()
        if how == "alone":  # a copy of the journal, without what stands beside it
            log.with_name("journal.db-mark").unlink(missing_ok=True)
        return
    if how == "cut":
        content = content[: random.randrange(len(content))]
    else:
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    log.write_bytes(content)


def say_otherwise(world: "World", step: Step, machine: Machine) -> None:
    """A pull request says something else of a purchase; whoever merges it buys nothing for that."""
    if machine.running or world.story.store or not machine.has_run:
        return
    if not world.may_buy(machine) or not world.push(machine):
        return
    lines = lines_of(read_manifest(machine.path))
    if step["how"] == "submitted":
        _say_submitted(world, step, machine, lines)
    else:
        _contradict(world, step, machine, lines)


def _say_submitted(world: "World", step: Step, machine: Machine, lines: list[Any]) -> None:
    """What was refused or is in doubt is a task that has failed for a passing reason."""
    open_ = [
        line
        for line in lines
        if line["status"] in ("failed", "indeterminate") and line["task_id"] is None
    ]
    if not open_:
        return
    line = open_[step.seed % len(open_)]
    machine.clone()
    changes = {"status": "submitted", "task_id": world.service.stray().id, "error": None}
    machine.checkout.edit({line["hash"]: {**changes, "attempts": max(1, line["attempts"])}})
    world.checker.hostile[line["hash"]] = world.checker.allowed[line["hash"]]


def _contradict(world: "World", step: Step, machine: Machine, lines: list[Any]) -> None:
    """A line that contradicts itself is an error, in a fresh clone and beside a journal."""
    bought = [line for line in lines if line["task_id"] is not None]
    others = [line for line in lines if line is not bought[0]] if bought else []
    if not bought or (step["how"] == "shared" and not others):
        return
    whole = machine.checkout.content
    if step.seed % 2:
        machine.clone()
    line = bought[0]
    changes: dict[str, dict[str, Any]] = {
        "planned": {line["hash"]: {"status": "planned"}},
        "twice": {line["hash"]: {"status": "planned", "status ": line["status"]}},
        "shared": {others[0]["hash"]: _task_of(line)} if others else {},
    }
    machine.checkout.edit(changes[step["how"]])
    posts = len(world.service.posts)
    command = world.start_buying(machine, Random(step.seed), RunPolicy(budget=world.story.budget))
    world.let_pass(LONGEST, machine)
    world.look_at_ended()
    if command.outcome is not None or len(world.service.posts) > posts:
        name = command.process.name
        world.checker.violated("hostile", f"{name} goes on with lines that are {step['how']}")
    machine.checkout.put_back(whole)


def _task_of(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("status", "task_id", "attempts", "credits", "error")}
