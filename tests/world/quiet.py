"""The quiet after the last step of a story, and what has to be so at its end."""

from random import Random
from typing import TYPE_CHECKING

from veogen.executor.decisions import Resolution
from veogen.executor.options import RunPolicy
from world.checker import lines_of, name_of, read_manifest
from world.harms import LONGEST
from world.machines import Command, Machine

if TYPE_CHECKING:
    from world.play import World


SILENT_BY_THEN = 600.0
"""Seconds after which a machine that died is silent to all others."""


def settle(world: "World") -> None:
    """Nothing goes wrong any more: everything has to come to an end that is right."""
    world.say("quiet")
    world.be_calm()
    for machine in world.machines:
        _end(world, machine)
    for machine in world.machines:
        world.push(machine)
    for machine in world.machines:
        machine.pull()
        _buy_in_quiet(world, machine)
    brought: dict[str, bytes | None] = {}
    for machine in world.machines * 2:
        machine.pull()
        is_same = brought.get(machine.name, b"") == machine.checkout.content
        is_same = is_same and not machine.has_parts
        if world.story.store or (machine.has_run and not is_same):
            _end(world, machine, world.collect(machine, Random(0)))
            _abandon_held(world, machine)
        world.push(machine)
        brought[machine.name] = machine.checkout.content
    world.checker.check_history()
    records = {name: content for name, (content, _) in world.bucket.objects.objects.items()}
    world.checker.check_decisions(records)
    kept = b"".join(records.values()) if _is_refused_by_store(world) else b""
    world.checker.check_end(world.machines, kept)
    _check_states(world)


def _buy_in_quiet(world: "World", machine: Machine) -> None:
    if not (world.story.disjoint or world.story.store) and machine is not world.holder:
        return
    policy = RunPolicy(budget=world.story.budget)
    command = world.start_buying(machine, Random(0), policy)
    _end(world, machine, command)
    # what was refused has not brought in step: a store may know more than the results of a clone
    if command.outcome is not None or not world.story.store:
        _abandon_held(world, machine)
    is_done = command.outcome is not None and command.outcome.code == 0
    if not is_done or world.story.seed % 3 == 0:  # again, and nothing more is bought
        _end(world, machine, world.start_buying(machine, Random(0), policy))
    world.push(machine)


def _abandon_held(world: "World", machine: Machine) -> None:
    """A person gives up what nobody knows anything of."""
    manifest = read_manifest(machine.path)
    lines = [
        line
        for line in lines_of(manifest)
        if line["status"] == "indeterminate" and world.is_of(machine, line["hash"])
    ]
    held = [Resolution("abandon", name_of(line, manifest)) for line in lines]
    if held:
        command = machine.start("resolve", world, Random(0), decisions=held)
        _end(world, machine, command)
        if "name one by its hash" in str(command.refusal):  # reworded, and not bought since
            held = [Resolution("abandon", line["hash"]) for line in lines]
            command = machine.start("resolve", world, Random(0), decisions=held)
            _end(world, machine, command)
        if "has decided about it already (replay)" in str(command.refusal):
            world.kernel.advance(lambda: False, SILENT_BY_THEN)  # whoever sends it again has died
            command = machine.start("resolve", world, Random(0), decisions=held)
            _end(world, machine, command)
        if command.outcome is None or command.outcome.code not in (0, 4):
            world.checker.violated("stuck", f"what is held cannot be abandoned: {command.result}")


def _end(world: "World", machine: Machine, command: Command | None = None) -> None:
    if command is not None:
        world.checker.commands[command.process.name] = command
    world.let_pass(LONGEST, machine)
    if machine.running and machine.command is not None:
        world.checker.violated("endless", f"{machine.command.process.name} never ends")
        machine.die()
        world.kernel.advance(lambda: not machine.running, 1.0)
    world.look_at_ended()


def _is_refused_by_store(world: "World") -> bool:
    """Whether the store holds a run of which neither plan, results nor journal know a purchase."""
    last = [*world.checker.commands.values()][-1]
    return "one prefix belongs to one project" in str(last.refusal)


def _check_states(world: "World") -> None:
    """No request stays where nothing leads on, but by a budget or a refusal."""
    manifest = read_manifest(world.holder.path)
    if manifest is None:
        planned = {request.hash for request in world.requests} - world.checker.forgotten
        is_planned = any(task.hash in planned for task in world.service.tasks.values())
        if is_planned or (world.holder.has_run and not _is_refused_by_store(world)):
            world.checker.violated("unreadable", "nobody can read the results at the end")
        return
    for line in lines_of(manifest):
        if line["status"] in ("submitted", "indeterminate"):
            world.checker.violated("stuck", f"{line['address']} stays {line['status']}")
        if line["status"] == "undelivered":
            task = world.service.tasks.get(line["task_id"])
            if task is not None and world.service.link_lives(task):
                world.checker.violated("stuck", f"{line['address']} stays undelivered")
