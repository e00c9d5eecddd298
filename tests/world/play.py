"""One story played from its first step to the quiet after its last."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from support.disks import IN_MEMORY
from support.virtual import plan as plan_of
from support.virtual import request

from veogen.executor.decisions import Kind, Resolution
from veogen.executor.options import RunPolicy
from veogen.planner.identity import request_hash
from veogen.planner.plan import Plan, Request
from world import harms, quiet
from world.bucket import Bucket, in_one_thread
from world.checker import Checker, lines_of, name_of, read_manifest
from world.costs import left_out
from world.disks import Disk, hooked
from world.gateway import PRICE, Habits, Service
from world.harms import LONGEST
from world.kernel import Died, Kernel, Process, StandstillError
from world.machines import Command, Machine
from world.repository import Branch, task_ids
from world.steps import Step
from world.stories import Story

CITIES = (
    "Tokyo", "Paris", "Oslo", "Lima", "Cairo", "Quito", "Delhi", "Sofia", "Bonn", "Rome", "Riga",
    "Baku", "Kyiv", "Bern", "Doha",
)  # fmt: skip
FITS: dict[Kind, tuple[str, ...]] = {
    "replay": ("indeterminate",),
    "adopt": ("indeterminate",),
    "abandon": ("indeterminate", "submitted", "undelivered"),
    "rebuy": ("indeterminate", "undelivered", "failed"),
}


@dataclass(frozen=True)
class Played:
    """What was seen of a story."""

    violations: tuple[str, ...]
    kinds: frozenset[str]
    seconds: float
    posts: int
    tasks: int
    calls: int


class World:
    """Machines, people and the gateway of one story."""

    def __init__(
        self, story: Story, folder: Path, say: Callable[[str], None], *, calls: bool = False
    ) -> None:
        self._tells_calls = calls
        self._folder = folder
        self.story = story
        self.kernel = Kernel()
        habits = Habits(
            honours_keys=story.honours_keys,
            ratio=story.ratio,
            names_amounts=story.names_amounts,
            trouble=story.trouble,
        )
        self.service = Service(self.kernel, story.seed, habits)
        self.branch = Branch()
        self.checker = Checker(self.service, self.branch)
        if story.budget is not None and not story.disjoint and story.names_amounts:
            self.checker.budget = story.budget
        power = story.trouble == 0.0 or any(
            step.kind == "power" or dict(step.options).get("power") for step in story.steps
        )
        self.bucket = Bucket(self.kernel)
        self.checker.has_store = story.store
        self.bucket.trouble = story.trouble / 20
        bucket = self.bucket if story.store else None
        self.machines = [
            Machine(
                name,
                folder,
                self.kernel,
                self.service,
                self.branch,
                keeps_synced=power,
                bucket=bucket,
            )
            for name in "abc"[: story.machines]
        ]
        self._abandoned_on = defaultdict[str, set[str]](set)
        self._by_name = {machine.name: machine for machine in self.machines}
        self.holder = self.machines[0]
        self.requests = [_request(city, n) for n, city in enumerate(CITIES[: story.requests])]
        self.fail_at: tuple[int, str] | None = None
        self.reached = self.calls_before_quiet = 0
        self._say = say

    # Every call to something outside of a process

    def disk_of(self, process: Process) -> Disk:
        return self._machine_of(process).disk

    def _machine_of(self, process: Process) -> Machine:
        return self._by_name[process.name[0]]

    def reach(self, process: Process, kind: str, name: str) -> str | None:
        if not process.alive:
            raise Died
        machine = self._machine_of(process)
        machine.calls += 1
        machine.take_signal()
        self.reached += 1
        if self._tells_calls:
            self.say(f"    {process.name} {kind} {name[-60:]}")
        if machine.is_its_last(kind):
            self.say(f"  {process.name}: dies at call {machine.calls}: {kind}")
            raise Died
        if self.fail_at is not None and self.reached == self.fail_at[0]:
            return self._fail(self.fail_at[1], process, machine, kind)
        return None

    def _fail(self, how: str, process: Process, machine: Machine, kind: str) -> str:
        """The call that was chosen goes wrong: a disk's is cut by a power failure."""
        self.say(f"  {process.name}: {kind} fails: {how}")
        is_of_network = kind in ("post", "read", "fetch", "chunk")
        if how in ("killed", "power") or (how == "cut" and not is_of_network):
            machine.die(power=how != "killed")
            raise Died
        if how == "late" and not is_of_network:
            self.kernel.sleep(50.0)
        return how

    def say(self, text: str) -> None:
        self._say(f"{self.kernel.now:12.3f}  {text.replace(str(self._folder), '')}")

    # Steps

    def play(self) -> None:
        """From the first step to the quiet; where time stands still it ends there."""
        try:
            self._play()
        except StandstillError:
            running = [m.command.process for m in self.machines if m.command and m.running]
            for process in running:
                process.end()
            names = ", ".join(process.name for process in running)
            self.checker.violated("endless", f"time does not pass for {names}")

    def _play(self) -> None:
        for number, step in enumerate(self.story.steps, 1):
            self.say(f"{number}. {step}")
            self._take(step, self.machines[step.machine])
            self.look_at_ended()
        quiet.settle(self)

    def _take(self, step: Step, machine: Machine) -> None:
        acts: dict[str, Callable[[Step, Machine], None]] = {
            "buy": self._buy,
            "collect": self._collect_for_a_while,
            "resolve": self._resolve,
            "wait": lambda step, _: self._wait(step["seconds"]),
            "pull": lambda step, machine: machine.pull(step["conflicts"]),
            "push": lambda _, machine: self._push_quietly(machine),
            "crash": lambda _, machine: machine.die(),
            "power": lambda _, machine: machine.die(power=True),
            "crash-at": lambda step, machine: machine.die_later(
                step["calls"], of=step["of"], power=step["power"]
            ),
            "interrupt": partial(harms.interrupt, self),
            "freeze": lambda step, machine: machine.freeze(step["seconds"]),
            "outage": self._break_off,
            "edit": self._edit,
            "full": lambda step, machine: machine.fill_disk(step["seconds"]),
            "jump": lambda step, machine: machine.clock.jump(step["seconds"]),
            "lose-clips": lambda _, machine: machine.lose_clips(),
            "cut-clip": lambda step, machine: machine.cut_clip(step["which"], step["how"]),
            "keep-journal": lambda _, machine: machine.keep_journal(),
            "old-journal": lambda _, machine: machine.restore_old_journal(),
            "clone": self._clone,
            "remove-run": partial(harms.remove_run, self),
            "move-journal": partial(harms.move_journal, self),
            "damage-log": partial(harms.damage_log, self),
            "store-away": self._lose_store,
            "lose-machine": self._lose_machine,
            "hostile": partial(harms.say_otherwise, self),
        }
        acts[step.kind](step, machine)
        self._wait(0.0)

    def be_calm(self) -> None:
        """Nothing goes wrong any more."""
        self.bucket.trouble = self.bucket.away_until = 0.0
        self.calls_before_quiet = self.reached
        self.fail_at = None
        self.service.calm = True
        self.service.outage = None
        for machine in self.machines:
            machine.disk.fills = False
            machine.death = machine.signal = None

    def _wait(self, seconds: float) -> None:
        self.kernel.advance(lambda: False, seconds)

    def _collect_for_a_while(self, step: Step, machine: Machine) -> None:
        if not machine.running and machine.has_run:
            self.collect(machine, Random(step.seed))
            self.let_pass(step["wait"], machine)

    def _push_quietly(self, machine: Machine) -> None:
        self.push(machine)

    def _break_off(self, step: Step, machine: Machine) -> None:
        """An outage of the gateway, for everybody."""
        del machine
        until = self.kernel.now + step["seconds"]
        self.service.outage = step["how"], until, step["posts"]
        self.checker.outages.append((self.kernel.now, until))

    def _lose_store(self, step: Step, machine: Machine) -> None:
        del machine
        self.bucket.away_until = self.kernel.now + step["seconds"]

    def _lose_machine(self, step: Step, machine: Machine) -> None:
        """It burns, and all that was on it: what it bought only the store knows."""
        del step
        if self.story.store:
            machine.die()
            self._wait(0.0)
            self.look_at_ended()
            machine.clone()
            machine.in_step = True

    def _clone(self, step: Step, machine: Machine) -> None:
        del step
        if not machine.running and machine.has_run and self.push(machine):
            machine.clone()

    def let_pass(self, seconds: float, machine: Machine) -> None:
        """Wait for a command, but not for ever."""
        self.kernel.advance(lambda: not machine.running, seconds)

    def _plan(self) -> Plan:
        return plan_of(*self.requests)

    def _part(self, machine: Machine) -> frozenset[str]:
        """What a machine may buy: all, or its own part of it."""
        if not self.story.disjoint:
            return frozenset(r.hash for r in self.requests)
        return frozenset(r.hash for r in self.requests if self.is_of(machine, r.hash))

    def is_of(self, machine: Machine, hash_: str) -> bool:
        if not self.story.disjoint:
            return True
        return self.machines[int(hash_[:8], 16) % len(self.machines)] is machine

    def _buy(self, step: Step, machine: Machine) -> None:
        if machine.running or not self.may_buy(machine):
            return
        options = dict(step.options)
        ceiling = PRICE * options["ceiling"] if options["ceiling"] else None
        policy = RunPolicy(
            max_in_flight=options["flight"],
            replay=options["replay"],
            retry_failed=options["retry"],
            max_credits=ceiling,
            budget=self.story.budget,
        )
        command = self.start_buying(machine, Random(step.seed), policy)
        if options["replay"] and not self.story.honours_keys:
            self.checker.freely.add(command.process.name)
        if options["retry"]:
            for each in self.machines:
                self._abandoned_on[each.name] |= _abandoned(each)
            known = self.machines if self.story.store else [machine]  # a store tells it to all
            abandoned = set[str]().union(*(self._abandoned_on[m.name] for m in known))
            self.checker.again[command.process.name] = abandoned & command.hashes
        self.let_pass(options["wait"], machine)

    def start_buying(self, machine: Machine, random: Random, policy: RunPolicy) -> Command:
        command = machine.start(
            "buy", self, random, plan=self._plan(), policy=policy, selected=self._part(machine)
        )
        self.checker.commands[command.process.name] = command
        return command

    def collect(self, machine: Machine, random: Random) -> Command:
        bare = self.story.store and not machine.has_run  # it knows the run by its spec
        command = machine.start("collect", self, random, plan=self._plan() if bare else None)
        self.checker.commands[command.process.name] = command
        return command

    def may_buy(self, machine: Machine) -> bool:
        """One buys at a time, and pushes before the next begins: people keep to that."""
        if self.story.store or self.story.disjoint or machine is self.holder:
            return True
        if self.holder.running:
            return False
        if self.holder.has_run and not self.push(self.holder):
            return False
        machine.pull()
        self.holder = machine
        return True

    def push(self, machine: Machine) -> bool:
        """Pull, have the results say all that is known here, and push; whether they do."""
        machine.pull()
        if machine.checkout.in_conflict:
            machine.pull()
        whole = machine.running or self._bring_in_step(machine)
        machine.checkout.push()
        return whole and not machine.running

    def _bring_in_step(self, machine: Machine) -> bool:
        """Whoever died is started again before others go on from what it pushes."""
        for attempt in range(3):
            if machine.in_step:
                return True
            if not machine.has_run:
                return False
            command = self.collect(machine, Random(attempt))
            self.let_pass(LONGEST, machine)
            self.look_at_ended()
            if "results.json" in str(command.refusal):  # a person takes what is in git
                machine.take_from_git()
        return machine.in_step

    def _resolve(self, step: Step, machine: Machine) -> None:
        if machine.running or not machine.has_run or not self.may_buy(machine):
            return
        manifest = read_manifest(machine.path)
        kind: Kind = step["decision"]
        fitting = [
            line
            for line in lines_of(manifest)
            if line["status"] in FITS[kind] and self.is_of(machine, line["hash"])
        ]
        if not fitting:
            return
        line = fitting[step["which"] % len(fitting)]
        decision = self._decision(kind, line, name_of(line, manifest))
        if decision is None:
            return
        if kind == "rebuy" or (kind == "replay" and not self.story.honours_keys):
            self.checker.allowed[line["hash"]] += 1
            self.checker.extra += PRICE * 2 * self.story.ratio
        command = machine.start(
            "resolve", self, Random(step.seed), policy=RunPolicy(task_retries=0),
            decisions=[decision],
        )  # fmt: skip
        self.checker.commands[command.process.name] = command
        self.let_pass(dict(step.options).get("wait", LONGEST), machine)

    def _decision(self, kind: Kind, line: dict[str, str], name: str) -> Resolution | None:
        if kind != "adopt":
            return Resolution(kind, name)
        known = task_ids(self.branch.head.content)
        for task in self.service.tasks.values():
            if task.hash == line["hash"] and task.id not in known:
                return Resolution(kind, name, task.id)
        return None

    def _edit(self, step: Step, machine: Machine) -> None:
        """Somebody changes the spec; all work from the newest."""
        del machine
        which = step["which"] % len(self.requests)
        if step["how"] == "add" and len(self.requests) < len(CITIES):
            self.requests.append(_request(CITIES[len(self.requests)], len(self.requests)))
        elif step["how"] == "reword":
            old = self.requests[which]
            body = {**old.body, "prompt": f"{old.body['prompt']}, again"}
            self.requests[which] = replace(old, body=body, hash=request_hash(body, 1))
        elif step["how"] == "drop" and len(self.requests) > 1:
            self.requests.pop(which)

    def look_at_ended(self) -> None:
        for machine in self.machines:
            command = machine.command
            if command is not None and command.done:
                self.say(f"  {command.process.name}: {command.result}")
                for note in command.notes:
                    self.say(f"     note: {note}")
                self.checker.check_command(machine, command)
                # a journal that is put back knows it when its results are gone
                self._abandoned_on[machine.name] |= _abandoned(machine)
                machine.command = None


def _abandoned(machine: Machine) -> set[str]:
    """The hashes of what was abandoned."""
    return {
        line["hash"]
        for line in lines_of(read_manifest(machine.path))
        if line["status"] == "failed" and line["error"]["code"] == "abandoned"
    }


def _request(city: str, number: int) -> Request:
    plain = request(city)
    if number % 3 != 2:
        return plain
    body = {**plain.body, "n": 2}
    return replace(plain, body=body, hash=request_hash(body, 1), credits=PRICE * 2)


@contextmanager
def world_of(story: Story, say: Callable[[str], None], *, calls: bool) -> Iterator[World]:
    """A world in a folder of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="veogen-world-", dir=IN_MEMORY) as folder:
        world = World(story, Path(folder), say, calls=calls)
        with hooked(world), in_one_thread(world.bucket), left_out():
            yield world


def play(
    story: Story,
    say: Callable[[str], None] = lambda _: None,
    *,
    calls: bool = False,
    fail_at: tuple[int, str] | None = None,
) -> Played:
    """Play a story to its end, and tell what was violated; with `calls` every call as well.

    With `fail_at` the n-th call, from 1, to anything outside of a process goes wrong so.
    """
    with world_of(story, say, calls=calls) as world:
        world.fail_at = fail_at
        world.play()
    for text in world.checker.violations:
        say(f"VIOLATED {text}")
    return Played(
        violations=tuple(world.checker.violations),
        kinds=frozenset(world.checker.kinds),
        seconds=world.kernel.now,
        posts=len(world.service.posts),
        tasks=len(world.service.tasks),
        calls=world.calls_before_quiet,
    )
