"""What must hold, judged by the gateway's book, git's history and the disks alone."""

import hashlib
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from veogen.executor.options import RunPolicy
from veogen.gateway.api import Accepted, NotAccepted, Rejected, Unknown
from world.gateway import PRICE, BookedTask, Post, Service
from world.machines import Command, Machine
from world.repository import Branch, task_ids

ATTEMPT = re.compile(r"[0-9a-f]{64}")


FIRST_OPEN = 4
"""POSTs that a run begins with, open at a time."""


ON_ITS_WAY, ON_ITS_WAY_TO_A_STORE = 0.2, 5.0
"""Seconds between what allows a POST and the POST: threads, and the claim that comes before it."""


CLAIMED_WITHIN = 60.0
"""Seconds that the claim of a POST which is on record may take."""


LEAVES_WITHIN = 12.0
"""Seconds after a first Ctrl-C: ten for POSTs already sent, and what is written then."""


class Checker:
    """Collects what was violated; `allowed` counts what people said may be bought once more."""

    def __init__(self, service: Service, branch: Branch) -> None:
        self._service = service
        self._branch = branch
        self.allowed: Counter[str] = Counter()
        self.forgotten: set[str] = set()
        """Hashes of which somebody threw a record away that was nowhere else."""
        self.hostile: dict[str, int] = {}
        """Hashes of which a pull request lies, and what was allowed of them until then."""
        self.has_store = False
        self.outages: list[tuple[float, float]] = []
        self.again: dict[str, set[str]] = {}
        """What was abandoned, by the processes to which somebody said that it be bought again."""
        self.freely: set[str] = set()
        """Processes to which somebody said that what is in doubt may be sent again."""
        self.budget: Decimal | None = None
        self.extra = Decimal(0)
        self.violations: list[str] = []
        self.kinds: set[str] = set()
        self._seen: list[str] = []
        service.on_task = self.check_task
        service.on_post = self.check_post
        self.commands: dict[str, Command] = {}

    def violated(self, kind: str, text: str) -> None:
        self.kinds.add(kind)
        if text not in self._seen:
            self._seen.append(text)
            self.violations.append(f"{self._service.kernel.now:.1f} s: {kind}: {text}")

    def check_task(self, task: BookedTask) -> None:
        """A new task of a request is right only when every other one of it was seen to fail."""
        others = [
            other
            for other in self._service.tasks.values()
            if other.hash == task.hash
            and other is not task
            and not (other.fate is not None and other.end_read_at is not None)
        ]
        if task.hash in self.forgotten:
            return
        of_key = [task, *(other for other in others if other.key == task.key)]
        if len(of_key) > 1 and any(each.process in self.freely for each in of_key):
            self.allowed[task.hash] += 1
            self.extra += task.reserved
        if len(others) > self.allowed[task.hash]:
            names = ", ".join(f"{o.id} by {o.process}" for o in others)
            self.violated("bought-twice", f"{task.hash[:6]} by {task.process}, beside {names}")
        if self.budget is not None and not self.forgotten:
            self._check_budget()
        command = self.commands.get(task.process)
        policy = RunPolicy() if command is None else command.policy
        if policy.max_credits is not None and not policy.replay:  # what it resends was counted
            self._check_ceiling(task.process, policy.max_credits)

    def _check_ceiling(self, process: str, most: Decimal) -> None:
        """A ceiling is passed only by what the gateway adds before it has said what it adds."""
        if not self._service.habits.names_amounts:
            return
        tasks = [task for task in self._service.tasks.values() if task.process == process]
        spent = sum((task.reserved for task in tasks), Decimal(0))
        if spent > most + self._slack():
            self.violated("ceiling", f"{process} reserves {spent}, and may {most}")

    def _check_budget(self) -> None:
        assert self.budget is not None
        spent = sum((t.reserved for t in self._service.tasks.values()), Decimal(0))
        if spent > self.budget + self.extra + self._slack():
            self.violated("budget", f"the budget of {self.budget} is passed: {spent} are reserved")

    def _slack(self) -> Decimal:
        """What the gateway may add before its first amount is known."""
        habits = self._service.habits
        if habits.ratio <= 1:
            return Decimal(0)
        unread = sum(post.answer is None or post.task is None for post in self._service.posts)
        return (habits.ratio - 1) * PRICE * 2 * (2 + unread)

    def check_post(self, post: Post) -> None:
        """Nothing new is sent by a run whose directory was taken away; keys never go back."""
        posts = [p for p in self._service.posts if p.hash == post.hash]
        keys = [p.key for p in posts]
        if post.hash in self.again.get(post.process, ()):
            self.again[post.process].discard(post.hash)
            self.allowed[post.hash] += 1
        command = self.commands.get(post.process)
        removed = command.removed_at if command else None
        late = 1.0 + (CLAIMED_WITHIN if self.has_store else 0.0)
        if post.key not in keys[:-1] and removed is not None and post.sent_at > removed + late:
            self.violated(
                "directory-gone",
                f"{post.process} buys {post.hash[:6]} though its directory is gone",
            )
        allowed = self.hostile.get(post.hash)
        is_asked = command is not None and command.policy.retry_failed
        if is_asked:  # a person wants it, whatever was said of it
            self.allowed[post.hash] += self.hostile.pop(post.hash, None) is not None
        elif allowed == self.allowed[post.hash] and not _replays_what_is_in_doubt(command, post):
            self.violated("hostile", f"{post.process} buys {post.hash[:6]} for a pull request")
        # what was surely not taken may be left, and the attempt before it be sent again
        sent = [p for p in posts if p is post or not isinstance(p.answer, NotAccepted)]
        later = list(dict.fromkeys(p.key for p in sent))
        if later[-1] != post.key and post.hash not in self.forgotten:
            self.violated(
                "old-key",
                f"{post.process} sends attempt {later.index(post.key) + 1} of {post.hash[:6]} "
                f"again, after attempt {len(later)}",
            )

    def check_history(self) -> None:
        """No commit loses a task that the one before it knew."""
        newer: set[str] | None = None
        for commit in self._branch.history():
            known = task_ids(commit.content)
            if newer is not None and known - newer:
                self.violated("git-forgot", f"git forgot {', '.join(sorted(known - newer))}")
            newer = known

    def check_command(self, machine: Machine, command: Command) -> None:
        """What it said at its end is true."""
        if command.bug is not None:
            self.violated("bug", f"{command.process.name}: a bug: {command.bug!r}")
        self._check_left(machine, command)
        if command.outcome is None or command.removed_at is not None:
            return
        manifest = read_manifest(machine.path)
        if manifest is None or any("results.json" in note for note in command.notes):
            return
        lines = {line["hash"]: line for line in manifest["results"]}
        self._check_code(machine, command, manifest)
        counts = Counter(line["status"] for line in lines.values())
        said = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", _counts(command.summary))}
        if command.summary and said != dict(counts):
            self.violated(
                "last-line", f"{command.process.name} says {said}, and it is {dict(counts)}"
            )
        for line in lines.values():
            self._check_completed(command, line)
            self._check_held(machine, command, line)

    def _check_left(self, machine: Machine, command: Command) -> None:
        """Whoever is interrupted leaves soon, and with a journal that is whole by itself."""
        began, ended, name = command.interrupted_at, command.ended_at, command.process.name
        if ended is None or command.removed_at is not None or machine.disk.fills:
            return
        is_awake = began is not None and command.process.frozen_until <= began
        if began is not None and is_awake and not self.has_store and ended > began + LEAVES_WITHIN:
            self.violated("slow-exit", f"{name} leaves {ended - began:.0f} s after Ctrl-C")
        is_refused = command.refusal is not None  # it may have opened nothing
        if not is_refused and (machine.path / "journal.db-wal").exists():
            self.violated("journal-open", f"{name} leaves a log beside its journal")

    def _check_code(self, machine: Machine, command: Command, manifest: dict[str, Any]) -> None:
        lines = {line["hash"]: line for line in manifest["results"]}
        code = int(command.outcome.code) if command.outcome else 0
        if command.kind == "buy":
            statuses = {line["status"] for h, line in lines.items() if h in command.hashes}
        elif command.kind == "collect":  # of what was refused, or never sent, it says nothing
            statuses = {line["status"] for line in lines.values() if _may_be_paid(line)}
        else:
            return
        wanted = 4 if "indeterminate" in statuses else 0 if statuses <= {"completed"} else 1
        if command.interrupted_at is not None and code == 130:
            return
        if command.kind == "collect" and wanted == 0 and any(_absent(machine, lines_of(manifest))):
            wanted = 1
        if command.harmed and {code, wanted} == {0, 1}:
            return
        if code not in (wanted, 3, 130):
            name = command.process.name
            self.violated("exit-code", f"{name} exits {code}, and it is {sorted(statuses)}")

    def _check_completed(self, command: Command, line: dict[str, Any]) -> None:
        if line["status"] != "completed":
            return
        task = self._service.tasks.get(line["task_id"])
        if line["hash"] in self.hostile:
            return
        if task is None or task.hash != line["hash"] or task.fate is not None:
            self.violated(
                "completed",
                f"{command.process.name}: {line['address']} is not completed, as it says",
            )
            return
        wanted = {sha256(self._service.clip(task.id, n)) for n in range(task.videos)}
        have = [video["sha256"] for video in line["videos"]]
        if not set(have) <= wanted or len(set(have)) != len(have):
            self.violated(
                "completed", f"{command.process.name}: {line['address']} has clips of another task"
            )
        fewer = any("fewer-videos" in video["warnings"] for video in line["videos"])
        if len(have) < task.videos and not fewer and _knows_how_many(command, line["hash"]):
            self.violated(
                "completed",
                f"{command.process.name}: {line['address']} is completed with {len(have)} of {task.videos} clips",
            )

    def check_outages(self) -> None:
        """An outage spends no plan: of each process what was open when it began, and three.

        It begins with the last POST that was taken; to a process of which it is older, with the
        first four, which are open before anything is known.
        """
        posts = self._service.posts
        for begin, end in self.outages:
            names = {post.process for post in posts if begin <= post.sent_at < end} - self.freely
            for name in names:
                of_it = [post for post in posts if post.process == name]
                self._check_outage(name, of_it, begin, end)

    def _check_outage(self, name: str, posts: list[Post], begin: float, end: float) -> None:
        taken = [
            p.heard_at for p in posts if isinstance(p.answer, Accepted) and p.heard_at is not None
        ]
        begin = max([begin, *(at for at in taken if at < end)])
        sent = begin + (ON_ITS_WAY_TO_A_STORE if self.has_store else ON_ITS_WAY)
        opened = sum(p.sent_at <= sent and (p.heard_at or end) > begin for p in posts)
        lost = sum(
            isinstance(p.answer, Unknown) and p.sent_at < end and (p.heard_at or end) > begin
            for p in posts
        )
        if lost > (opened or min(FIRST_OPEN, self.commands[name].policy.max_in_flight)) + 3:
            self.violated("outage", f"{name} spends {lost} requests in an outage")

    def _check_held(self, machine: Machine, command: Command, line: dict[str, Any]) -> None:
        """What was surely not taken is not held, though its process died while it waited."""
        if line["status"] != "indeterminate":
            return
        posts = [p for p in self._service.posts if p.hash == line["hash"]]
        last = max(posts, key=lambda post: post.sent_at, default=None)
        if last is None or last.machine != machine.name or last.heard_at is None:
            return
        died = self.commands[last.process].died_at
        if died is None:
            return
        if any(post.key != last.key and _is_in_doubt(post) for post in posts):
            return  # an earlier attempt is held: the one that was bought in its place was not sent
        of_key = [post.answer for post in posts if post.key == last.key]
        surely = all(isinstance(answer, NotAccepted) and not answer.once for answer in of_key)
        intents = _intents(machine.path / "journal.db", last.key)
        is_begun = intents > len(of_key)  # it may have been sent when its process died
        if not intents:  # the journal that knew is gone, with its machine or for a fresh clone
            return
        if self.has_store and self._is_held_by_others(line["hash"]):
            return  # to them its machine was silent, and one of them may have sent it since
        if surely and last.heard_at < died - 1.0 and not is_begun:
            name = command.process.name
            self.violated("held", f"{name} holds {line['address']}, which was not taken")

    def _is_held_by_others(self, hash_: str) -> bool:
        """Whether what was pulled holds a request."""
        content = self._branch.head.content
        lines = lines_of(json.loads(content) if content else None)
        return any(line["hash"] == hash_ and line["status"] == "indeterminate" for line in lines)

    def check_decisions(self, records: Mapping[str, bytes]) -> None:
        """About an attempt is decided once, though it may be sent again, and then be in doubt again."""
        decided: dict[str, list[str]] = defaultdict(list)
        for name, content in records.items():
            if "/decisions/" in name:
                kind = json.loads(content)["decision"]
                decided[name.rpartition("/")[2].rpartition(".")[0]].append(kind)
        for attempt, kinds in decided.items():
            final = [kind for kind in kinds if kind != "replay"]
            if len(final) > 1 or kinds[-1:] not in (final, ["replay"]):
                text = f"of {attempt[:6]}{attempt[64:]} it was decided: {', '.join(kinds)}"
                self.violated("decided-twice", text)

    def check_end(self, machines: Iterable[Machine], kept: bytes = b"") -> None:
        """After all is quiet and in step: every task is on record, every clip is where it is due.

        `kept` are the records of a store that nobody may open by the plan as it is by now.
        """
        told = {
            post.task
            for post in self._service.posts
            if post.task is not None
            and post.heard_at is not None
            and _was_told(post)
            and not self._is_excused(post)
        }
        self.check_outages()
        final = task_ids(self._branch.head.content)
        lost = sorted(task for task in told if task not in final)
        lost = [task for task in lost if task.encode() not in kept]
        for task in lost:
            booked = self._service.tasks[task]
            self.violated(
                "task-lost", f"{task} of {booked.hash[:6]} by {booked.process} is on no record"
            )
        for machine in machines:
            for text in self._missing_clips(machine):
                self.violated("clip", text)

    def _is_excused(self, post: Post) -> bool:
        """What arrived while its process died nobody could write down."""
        command = self.commands.get(post.process)
        if post.hash in self.forgotten:
            return True
        return command is None or command.outcome is None or command.removed_at is not None

    def _link_lives(self, line: dict[str, Any]) -> bool:
        task = self._service.tasks.get(line["task_id"])
        return task is not None and self._service.link_lives(task)

    def _missing_clips(self, machine: Machine) -> Iterator[str]:
        lines = lines_of(read_manifest(machine.path))
        alive = [line for line in lines if self._link_lives(line)]
        for path in _absent(machine, alive):
            yield f"{machine.name} lacks {path} though its link lives"
        for part in machine.path.glob("videos/**/.*.part*"):
            yield f"{machine.name} keeps {part.name} for ever"


def _is_in_doubt(post: Post) -> bool:
    """Whether it may have been taken, as far as its sender was told."""
    is_sure = isinstance(post.answer, Accepted | NotAccepted | Rejected)
    return not is_sure or (isinstance(post.answer, NotAccepted) and post.answer.once)


def _replays_what_is_in_doubt(command: Command | None, post: Post) -> bool:
    """Whether a person has it sent again where nobody has merged that anything came of it."""
    if command is None or command.run is None or not command.policy.replay:
        return False
    lines = lines_of(read_manifest(command.run.directory.path))
    return any(line["hash"] == post.hash and line["status"] == "indeterminate" for line in lines)


def _intents(journal: Path, key: str) -> int:
    """How often a journal says that a POST of a key was about to be sent."""
    with closing(sqlite3.connect(journal)) as db:
        bodies = [body for (body,) in db.execute("SELECT body FROM event")]
    return sum('"Intended"' in body and f'"{key}"' in body for body in bodies)


def _absent(machine: Machine, lines: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The clips of what is completed that are not on the machine as they were delivered."""
    for line in lines:
        for video in line["videos"] if line["status"] == "completed" else ():
            path = machine.path / video["path"]
            if not path.is_file() or sha256(path.read_bytes()) != video["sha256"]:
                yield video["path"]


def _may_be_paid(line: dict[str, Any]) -> bool:
    """Whether it is, or was, a purchase: nothing is bought by what was refused, however often."""
    if line["status"] != "failed":
        return bool(line["status"] != "planned")
    is_refused = line["task_id"] is None and line["error"]["code"] != "abandoned"
    return "others" in line or not is_refused


def _was_told(post: Post) -> bool:
    return getattr(post.answer, "task_id", None) == post.task


def _counts(summary: str) -> str:
    """`3 requests: 2 completed, 1 failed; …`: what is between."""
    head, _, _ = summary.partition(";")
    return head.partition(":")[2]


def read_manifest(path: Path) -> dict[str, Any] | None:
    """The results as they lie there; None where nobody can read them."""
    try:
        data = json.loads((path / "results.json").read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and "results" in data else None


def _knows_how_many(command: Command, hash_: str) -> bool:
    """Whether it has seen the spec, and clips of its own: no results tell how many there are."""
    if command.outcome is None:
        return True
    ledger = command.outcome.ledger
    request, record = ledger.request(hash_), ledger.record(hash_)
    return bool(request and request.body) and len(record.remote_videos) < len(record.videos)


def name_of(line: dict[str, Any], manifest: dict[str, Any] | None) -> str:
    """What a person types for a line: its address, of what left the plan the hash where others had it."""
    is_planned = manifest is not None and line in manifest["results"]
    is_shared = sum(other["address"] == line["address"] for other in lines_of(manifest)) > 1
    return str(line["hash"] if is_shared and not is_planned else line["address"])


def lines_of(manifest: dict[str, Any] | None) -> list[Any]:
    """Its requests, those that left the plan included."""
    return [*manifest["results"], *manifest["former"]] if manifest else []


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
