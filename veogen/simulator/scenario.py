"""Reading a faults file (`GUIDE` says what may be written), with mistakes at their place."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from veogen.document.nodes import Location, Map, Seq
from veogen.document.problems import Problems, did_you_mean
from veogen.document.reader import read
from veogen.document.schema import shown
from veogen.errors import UsageError
from veogen.models.model import Model, shipped
from veogen.simulator import DEFAULT_GENERATION_TIME
from veogen.simulator.faults import Fault


@dataclass(frozen=True, slots=True)
class ScenarioField:
    """What a key takes; `means` turns the written value into ours."""

    noun: str
    fits: Callable[[Any], bool]
    means: Callable[[Any], Any] = lambda value: value


_WIDEST = 3.0  # a sigma: at three, one task in ten thousand takes 70,000 times the median


def _number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _one_of(*allowed: str) -> ScenarioField:
    return ScenarioField(f"one of {', '.join(allowed)}", lambda value: value in allowed)


_TEXT = ScenarioField("a string", lambda value: isinstance(value, str))
_FLAG = ScenarioField("true or false", lambda value: isinstance(value, bool))
_COUNT = ScenarioField("a whole number", _count)
_POSITIVE = ScenarioField("a whole number above 0", lambda value: _count(value) and value > 0)
_SECONDS = ScenarioField("a number of seconds", _number, float)
_SHARE = ScenarioField("a number from 0 to 1", lambda value: _number(value) and value <= 1, float)
_STATUS = ScenarioField(
    "a status from 200 to 599", lambda value: _count(value) and value in range(200, 600)
)
_CODE = ScenarioField("a string or a number", lambda value: isinstance(value, str) or _count(value))
_DETAILS = ScenarioField("a mapping", lambda value: isinstance(value, dict), dict)
_IDS = ScenarioField(
    "a list of ids",
    lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    tuple,
)

WHEN: Mapping[str, ScenarioField] = {
    "prompt": _TEXT,
    "rate": _SHARE,
    "times": _POSITIVE,
    "total": _POSITIVE,
    "skip": _COUNT,
    "from": _SECONDS,
    "to": _SECONDS,
}
_ANSWER: Mapping[str, ScenarioField] = {
    "status": _STATUS,
    "code": _CODE,
    "message": _TEXT,
    "details": _DETAILS,
    "body": _one_of("json", "html", "empty", "garbage"),
    "retry_after": _COUNT,
    "retry_after_date": _COUNT,
    "location": _TEXT,
}
_LATER = {"seconds": _SECONDS}
_EVERYWHERE: Mapping[str, Mapping[str, ScenarioField]] = {
    "answer": _ANSWER,
    "drop": {},
    "hang": _LATER,
    "slow": _LATER,
}
_TAKEN = {"taken": _FLAG}
_AFTER = {"after": _SHARE}
_ENDED = {"message": _TEXT, "details": _DETAILS, "charged": _FLAG}

ACTIONS: Mapping[str, Mapping[str, Mapping[str, ScenarioField]]] = {
    "submit": {
        **{
            do: details if do == "slow" else {**details, **_TAKEN}
            for do, details in _EVERYWHERE.items()
        },
        "no-id": _TAKEN,
    },
    "poll": {
        **_EVERYWHERE,
        "wrong-id": {},
        "unknown-state": {"state": _TEXT},
        "no-links": {},
        "fewer-links": {"links": _COUNT},
    },
    "task": {
        "fail": {"code": _TEXT, **_ENDED},
        "cancel": _ENDED,
        "stuck": {},
        "slow": _LATER,
    },
    "download": {
        **_EVERYWHERE,
        "drop": _AFTER,
        "truncated": {**_AFTER, "length": _FLAG},
        "corrupt": {},
        "expired": {},
        "no-length": {},
        "changed": {},
    },
    **dict.fromkeys(("upload", "batch", "list", "credits", "models"), _EVERYWHERE),
}
"""What can go wrong where, and the details that each takes."""

REQUIRED = {"answer": ("status",), "slow": ("seconds",), "fail": ("code",)}

_TIMES = ScenarioField("a number, 0 or more", _number, lambda value: Decimal(str(value)))
GATEWAY: Mapping[str, ScenarioField] = {
    "concurrency": _POSITIVE,
    "requests_per_minute": _POSITIVE,
    "reads_per_minute": _POSITIVE,
    "retry_after": _one_of("none", "seconds", "date"),
    "credits": ScenarioField("a number of credits", _number, lambda value: Decimal(str(value))),
    "links_expire": _SECONDS,
    "files_expire": _SECONDS,
    "max_files": _COUNT,
    "models": _IDS,
    "spread": ScenarioField(
        "a number from 0 to 3", lambda value: _number(value) and value <= _WIDEST, float
    ),
    "estimated_time": _COUNT,
    "clips": _one_of("each", "shared"),
    "reserves": _TIMES,
    "charges": _TIMES,
    "amounts": _one_of("credits", "units"),
}
OUTAGE: Mapping[str, ScenarioField] = {"from": _SECONDS, "seconds": _SECONDS}
OURS = {"from": "since", "to": "until"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Nothing listens from so many seconds after the start, for so many."""

    since: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """The account and its limits; the real gateway publishes no number, so these are ours."""

    concurrency: int = 16
    requests_per_minute: int | None = None
    reads_per_minute: int | None = None
    retry_after: str = "none"
    credits: Decimal = Decimal(1_000_000)
    links_expire: float = 24 * 3600
    files_expire: float = 72 * 3600
    max_files: int = 100
    spread: float = 0.25
    estimated_time: int | None = None
    models: tuple[str, ...] | None = None
    clips: str = "each"
    reserves: Decimal = Decimal(1)
    charges: Decimal = Decimal(1)
    amounts: str = "credits"
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredTask:
    """A task that a simulator before this one had accepted, `age` seconds ago."""

    task_id: str
    body: dict[str, Any]
    key: str | None
    age: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`port` 0 is any free one; equal seeds make equal times, seeds of clips and faults.

    `models` are those there are; the account may be allowed fewer.
    `restored_tasks` are tasks that it has from the start.
    """

    host: str = "127.0.0.1"
    port: int = 0
    generation_time: float = DEFAULT_GENERATION_TIME
    seed: int = 0
    gateway: AccountSettings = field(default_factory=AccountSettings)
    models: Mapping[str, Model] = field(default_factory=shipped)
    faults: tuple[Fault, ...] = ()
    restored_tasks: tuple[RestoredTask, ...] = ()

    def __post_init__(self) -> None:
        """Raise `UsageError` for a time that does not pass."""
        if not 0 <= self.generation_time < float("inf"):
            raise UsageError("the generation time is a number of seconds, 0 or more")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A faults file, read."""

    gateway: AccountSettings = AccountSettings()
    faults: tuple[Fault, ...] = ()


def options(faults: Path | None, **others: Any) -> Options:
    """Options of a simulator whose account and faults are those of a file, if there is one."""
    scenario = load(faults) if faults else Scenario()
    return Options(gateway=scenario.gateway, faults=scenario.faults, **others)


def load(path: Path) -> Scenario:
    """The scenario of a file; raises `UsageError` or `MistakesError`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return parse(raw, str(path))


def parse(raw: bytes, path: str) -> Scenario:
    """The scenario in `raw`; raises `MistakesError` with every mistake at its place."""
    document = read(raw, path)
    problems, scenario = Problems(), Scenario()
    if isinstance(document, Map):
        scenario = _Reading(problems).scenario(document)
    elif document is not None:
        start = document.place if isinstance(document, Seq) else Location(path, 1, 1)
        problems.error(start, "type", "a faults file is a mapping")
    problems.raise_errors()
    return scenario


class _Reading:
    """Turns a document into a scenario, collecting mistakes."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def scenario(self, document: Map) -> Scenario:
        self._known(document, ("gateway", "faults"), "a faults file")
        faults = [self._fault(entry) for entry in self._list(document, "faults")]
        gateway, section = AccountSettings(), document.get("gateway")
        if isinstance(section, Map):
            outages = []
            for entry in self._list(section, "outages"):
                outage = self._fields(entry, OUTAGE, "an outage")
                self._missing(entry, OUTAGE)
                outages += [Outage(**outage)] if len(outage) == len(OUTAGE) else []
            fields = self._fields(section, GATEWAY, "gateway", "outages")
            gateway = AccountSettings(**fields, outages=tuple(outages))
        elif section is not None:
            self._problems.error(document.value_place("gateway"), "type", "gateway is a mapping")
        return Scenario(gateway, tuple(filter(None, faults)))

    def _fault(self, entry: Map) -> Fault | None:
        for key, allowed in (("at", ACTIONS), ("do", ACTIONS.get(str(entry.get("at")), {}))):
            value = entry.get(key)
            if key not in entry:
                self._missing(entry, (key,))
                return None
            if not isinstance(value, str) or value not in allowed:
                message = f"{key} is one of {', '.join(allowed)}, not {shown(value)}"
                hint = did_you_mean(str(value), allowed)
                self._problems.error(entry.value_place(key), "value", message, hint)
                return None
        at, do = str(entry["at"]), str(entry["do"])
        fields = self._fields(entry, {**WHEN, **ACTIONS[at][do]}, f"{at} {do}", "at", "do")
        self._missing(entry, REQUIRED.get(do, ()))
        return Fault(at=at, do=do, **fields)  # type: ignore[arg-type]  # one of ACTIONS

    def _fields(
        self, written: Map, fields: Mapping[str, ScenarioField], what: str, *others: str
    ) -> dict[str, Any]:
        self._known(written, (*others, *fields), what)
        read_fields = {}
        for key, form in fields.items():
            if key in written and form.fits(written[key]):
                read_fields[OURS.get(key, key)] = form.means(written[key])
            elif key in written:
                message = f"{key} is {form.noun}, not {shown(written[key])}"
                self._problems.error(written.value_place(key), "value", message)
        return read_fields

    def _known(self, written: Map, known: tuple[str, ...], what: str) -> None:
        for key in written:
            if key not in known:
                message, hint = f"{key!r} is not a key of {what}", did_you_mean(key, known)
                self._problems.error(written.key_place(key), "unknown-key", message, hint)

    def _missing(self, entry: Map, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in entry:
                self._problems.error(entry.place, "missing", f"{key!r} is missing")

    def _list(self, document: Map, key: str) -> list[Map]:
        written = document.get(key)
        if written is None:
            return []
        if not isinstance(written, Seq):
            self._problems.error(document.value_place(key), "type", f"{key} is a list")
            return []
        for index, entry in enumerate(written):
            if not isinstance(entry, Map):
                message = f"an entry of {key} is a mapping"
                self._problems.error(written.value_place(index), "type", message)
        return [entry for entry in written if isinstance(entry, Map)]


GUIDE = """\
A faults file (YAML) says what goes wrong, and what the simulated account is like:

    gateway: {concurrency: 4, requests_per_minute: 30, credits: 500}
    faults:
      - {at: submit, do: drop, taken: true, prompt: boat, times: 1}
      - {at: download, do: answer, status: 403, rate: 0.2}

When: all that is written must hold, and of several faults the first happens.

    prompt      these words are in the prompt (of an upload: in the file's name), in any case
    rate        this share of what it meets, 0 to 1, chosen by --seed
    times       only so often for one request, task or clip; with 1 the second try succeeds
    total       only so often in all
    skip        not the first so many times for one request, task or clip
    from, to    only so many seconds after the first request that was seen

What: `at` is the place, `do` what happens there.

    everywhere but at task
      answer         with `status`, and `code`, `message`, `body` (json, html, empty, garbage),
                     `details` (a mapping: more fields of the error, or others), `location`,
                     `retry_after` or `retry_after_date` (seconds from now)
      drop           the connection ends without an answer
      hang           no answer until the client leaves, or for `seconds`, then drop
      slow           the right answer, `seconds` late
    submit
      no-id          200, but without the task's id
      taken: true    with any of them but slow: the task is made and billed nonetheless
    poll             a batch read takes part in the faults of its tasks
      wrong-id       another task's id
      unknown-state  `state`, or "transcoding"
      no-links       of a completed task
      fewer-links    of a completed task: only so many `links`
    task             /openapi.json lists the codes that are documented
      fail           `code`, `message`, `details`; `charged: true` keeps the money
      cancel         the same, without a code
      stuck          it never ends
      slow           it takes `seconds` more
    download
      truncated      the first part of the bytes (`after`: 0 to 1, else half) as if that were all;
                     `length: false` without Content-Length
      corrupt        it begins as an MP4 and is none
      expired        the link has, before its time
      no-length      without Content-Length
      changed        another ETag each time
      drop, slow     lost `after` that part; spread over `seconds`
    upload, batch, list, credits, models
                     what happens everywhere

The account: keys of `gateway`.

    concurrency          tasks worked on at once; the rest are pending (16)
    requests_per_minute  more submits are refused with 429 (no limit)
    reads_per_minute     more reads of tasks, alone or in batches, are too (no limit)
    retry_after          what such a 429 says: none, seconds or date (none)
    credits              the balance (1000000)
    links_expire         seconds that result links live (86400)
    files_expire         seconds that uploaded files live (259200)
    max_files            uploaded files at one time (100)
    models               ids that the account may use (all)
    spread               of generation times: the sigma of a log-normal, 0 to 3 (0.25)
    estimated_time       what tasks say about how long they take (--generation-time)
    reserves             so many times the published price is reserved (1)
    charges              so many times the published price is charged in the end (1)
    amounts              what tasks name amounts in: credits, or units of a 10,000th (credits)
    clips                each its own, or shared: one for all of a shape, for load tests (each)
    outages              a list of {from, seconds}: nothing listens at all
"""
