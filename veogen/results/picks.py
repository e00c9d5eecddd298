"""What people decided about clips: one file a person, committed beside the lock, and their sum.

A decision names a clip by the beginning of its request's hash, so it means that clip and no later
one; the address beside it is for people, and for a clip that is no more in the plan.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, Self, TypeAlias

from veogen.document.files import Files
from veogen.document.nodes import Location, Map, Seq
from veogen.document.problems import MistakesError, Problems
from veogen.document.reader import read
from veogen.document.schema import (
    Field,
    ListOf,
    ObjectType,
    StringType,
    WordType,
    problems_of,
    value_of,
)
from veogen.document.writer import quoted
from veogen.planner.plan import Request
from veogen.results.events import Video
from veogen.results.ledger import Ledger
from veogen.text import counted

FORMAT = "veogen.picks/1"
MAX_BYTES = 10 * 1024 * 1024

Verdict: TypeAlias = Literal["pick", "reject"]
ClipState: TypeAlias = Literal["picked", "contested", "rejected", "unreviewed", "stale"]

_DECIDED: tuple[ClipState, ...] = ("picked", "rejected", "contested")
_VERDICTS: Mapping[str, Verdict] = {"pick": "pick", "reject": "reject"}
_CLIP = re.compile(r"[0-9a-f]{10}(-[1-9][0-9]{0,3})?")
_PERSON = re.compile(r"[^\W_][\w.-]{0,60}")
_COPY = re.compile(r" ?\([0-9]+\)\Z")  # what a browser adds to the name of a second download
_SHOT_END = re.compile(r"[\[#]")


class Decision(NamedTuple):
    """One line of a picks file: `of` is an address, `clip` as `clip_id` makes it."""

    of: str
    clip: str
    verdict: Verdict
    note: str = ""


class Opinion(NamedTuple):
    """What one person says of a clip."""

    by: str
    verdict: Verdict
    note: str


def clip_id(hash_: str, index: int = 0, videos: int = 1) -> str:
    """How picks name a video: the first 10 of its request's hash, `-N` where there are several."""
    return hash_[:10] if videos == 1 else f"{hash_[:10]}-{index + 1}"


def video_clip_id(request: Request, index: int, video: Video) -> str:
    """As `clip_id`, of a video that was delivered: its name says whether it is one of several."""
    found = re.search(rf"-({request.hash[:10]}(-[1-9][0-9]*)?)\.mp4\Z", video.path)
    return found[1] if found else clip_id(request.hash, index, request.videos)


def clips_of(ledger: Ledger) -> Iterator["Clip"]:
    """All videos of a run that can be decided about: the plan's in order, then former ones.

    Of a request of the plan that has none yet, those that it will have.
    """
    for planned, states in ((True, ledger.planned), (False, ledger.former)):
        for entry, record in states:
            for index in sorted(record.videos):
                video = record.videos[index]
                clip = video_clip_id(entry, index, video)
                yield Clip(entry.address, entry.shot, clip, video.path, planned=planned)
            if planned and not record.videos:
                for index in range(entry.videos):
                    clip = clip_id(entry.hash, index, entry.videos)
                    yield Clip(entry.address, entry.shot, clip, None)


def _clip_rule(text: str) -> tuple[str, str] | None:
    if _CLIP.fullmatch(text):
        return None
    form = "the first 10 digits of its request's hash, '-2' after them for its second video"
    return "clip", f"{text!r} is not a clip: {form}"


def _format_rule(text: str) -> tuple[str, str] | None:
    if text == FORMAT:
        return None
    return "format", f"the format is {text!r}, this veogen reads {FORMAT!r}"


_DECISION = ObjectType(
    "a pick",
    "Pick",
    "What somebody decided about one clip.",
    {
        "of": Field(StringType(), "The address of its request.", required=True),
        "clip": Field(StringType(_clip_rule, _CLIP.pattern), "Which clip.", required=True),
        "verdict": Field(WordType(tuple(_VERDICTS)), "Whether it is chosen.", required=True),
        "note": Field(StringType(), "Why."),
    },
)
_DOCUMENT = ObjectType(
    "a picks file",
    "Picks",
    "What one person decided about the clips of a run.",
    {
        "format": Field(StringType(_format_rule), "The version of this format.", required=True),
        "picks": Field(ListOf(_DECISION), "One line a clip.", required=True),
    },
)


def read_picks(raw: bytes, path: str) -> tuple[Decision, ...]:
    """The decisions in a file, in its order; raises `MistakesError` with all that is wrong."""
    problems = Problems()
    tree = read(raw, path, max_bytes=MAX_BYTES)
    problems.extend(problems_of(tree, _DOCUMENT, Location(path, 1, 1)))
    problems.raise_errors()
    assert isinstance(tree, Map)  # noqa: S101 - it was checked
    decisions = []
    first: dict[str, Location] = {}
    for line in value_of(tree, "picks", Seq):
        if not isinstance(line, Map):
            continue
        clip, location, note = (
            value_of(line, "clip", str),
            line.value_place("clip"),
            line.get("note"),
        )
        if clip in first:  # nobody decides twice
            message = f"line {first[clip].line} is about the clip {clip!r} already"
            problems.error(location, "repeated-clip", message, "keep one of the two")
        first.setdefault(clip, location)
        verdict = _VERDICTS[value_of(line, "verdict", str)]
        words = note if isinstance(note, str) else ""
        decisions.append(Decision(value_of(line, "of", str), clip, verdict, words))
    problems.raise_errors()
    return tuple(decisions)


def picks_text(decisions: Iterable[Decision]) -> str:
    """The file of these decisions: sorted, one line a clip, so that git merges two branches."""
    lines = []
    for of, clip, verdict, note in sorted(decisions):
        words = f"of: {quoted(of)}, clip: {quoted(clip)}, verdict: {verdict}"
        words += f", note: {quoted(note)}" if note else ""
        lines.append(f"  - {{{words}}}\n")
    return f"format: {FORMAT}\npicks:" + (f"\n{''.join(lines)}" if lines else " []\n")


def laid_over(own: Iterable[Decision], imported: Iterable[Decision]) -> tuple[Decision, ...]:
    """One person's two files as one: the imported line counts where both are about a clip."""
    by_clip = {decision.clip: decision for decision in (*own, *imported)}
    return tuple(sorted(by_clip.values()))


@dataclass(frozen=True, slots=True)
class PicksFolder:
    """Where the picks about one run are: in the folder of its spec, below the project root.

    `beginning` is that of the names of their files: `<spec>[.<profile>][.simulated]`.
    """

    folder: PurePosixPath
    beginning: str

    @classmethod
    def of(cls, spec: PurePosixPath, profile: str | None = None, *, simulated: bool) -> Self:
        """The picks about the run of a spec, which is named below the root."""
        words = [spec.stem, *([profile] if profile else []), *(["simulated"] if simulated else [])]
        return cls(spec.parent, ".".join(words))

    def file(self, person: str) -> PurePosixPath:
        return self.folder / f"{self.beginning}.picks.{person}.yaml"

    def person(self, name: str) -> str | None:
        """Whose picks about this run a file of this name holds, if it holds any."""
        head, tail = f"{self.beginning}.picks.", ".yaml"
        if not (name.startswith(head) and name.endswith(tail)):
            return None
        person = name[len(head) : -len(tail)]
        return person if is_person(person) else None


def is_person(name: str) -> bool:
    """Whether a picks file can be named after this person."""
    return _PERSON.fullmatch(name) is not None and ".picks." not in name


def saved_name(name: str) -> str:
    """The name under which a gallery saved a file, whatever a browser made of it."""
    stem, dot, extension = name.rpartition(".")
    return f"{_COPY.sub('', stem)}{dot}{extension}"


@dataclass(frozen=True, slots=True)
class Picks:
    """What everybody decided about the clips of one run, by person."""

    people: Mapping[str, tuple[Decision, ...]]
    _by_clip: dict[str, list[Opinion]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for person in sorted(self.people):
            for _, clip, verdict, note in self.people[person]:
                self._by_clip[clip].append(Opinion(person, verdict, note))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All lines of all people, sorted."""
        return tuple(sorted(line for lines in self.people.values() for line in lines))

    def opinions(self, clip: str) -> Sequence[Opinion]:
        """What is said of a clip, by person."""
        return self._by_clip.get(clip, ())

    def count(self, state: ClipState) -> int:
        """How many clips that somebody decided about are in this state."""
        return sum(self.state(clip) == state for clip in self._by_clip)

    def state(self, clip: str) -> ClipState:
        """`picked` if somebody picked it and nobody rejected it, `contested` if both."""
        verdicts = {opinion.verdict for opinion in self.opinions(clip)}
        if len(verdicts) > 1:
            return "contested"
        if not verdicts:
            return "unreviewed"
        return "picked" if "pick" in verdicts else "rejected"


NO_PICKS = Picks({})


def load_picks(files: Files, place: PicksFolder, problems: Problems) -> Picks:
    """Everybody's picks about a run; what is wrong with their files goes to `problems`."""
    people: dict[str, tuple[Decision, ...]] = {}
    for name in files.names(place.folder):
        person = place.person(name)
        if person is None:
            continue
        path = place.folder / name
        text = files.shown(path)
        try:
            people[person] = read_picks(files.read(path, MAX_BYTES), text)
        except MistakesError as error:
            problems.extend(error.problems)
        except OSError as error:
            message = f"it cannot be read: {error.strerror}"
            problems.error(Location(text, 1, 1), "unreadable", message)
    return Picks(people)


class Clip(NamedTuple):
    """A video that can be decided about; `path` is below the run directory, None if not made.

    `planned` says whether its request is in the plan now.
    """

    address: str
    shot: str
    clip: str
    path: str | None
    planned: bool = True


@dataclass(frozen=True, slots=True)
class ReviewedClip:
    """A clip and what was decided about it."""

    clip: Clip
    state: ClipState
    opinions: Sequence[Opinion] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """Where the choosing stands: the clips in the order of the plan, then those that left it."""

    clips: tuple[ReviewedClip, ...]
    shots: tuple[str, ...]

    def count(self, state: ClipState) -> int:
        return sum(clip.state == state for clip in self.clips)

    @property
    def without_pick(self) -> tuple[str, ...]:
        """The shots of the plan of which no clip is picked."""
        chosen = {reviewed.clip.shot for reviewed in self.clips if reviewed.state == "picked"}
        return tuple(shot for shot in self.shots if shot not in chosen)

    @property
    def is_decided(self) -> bool:
        """Whether nothing is open: each shot has a pick, nothing is contested or stale."""
        return not (self.without_pick or self.count("contested") or self.count("stale"))


def review(clips: Iterable[Clip], picks: Picks) -> Review:
    """What was decided about clips: all of the plan that were made, others if somebody spoke.

    `clips` are the plan's, in its order, then those that left it.
    """
    clips = tuple(clips)
    reviewed = [ReviewedClip(c, _state(c, picks), picks.opinions(c.clip)) for c in clips]
    seen = {clip.clip for clip in clips}
    unknown: dict[str, str] = {}
    for decision in picks.decisions:
        if decision.clip not in seen:
            unknown.setdefault(decision.clip, decision.of)
    gone = [
        Clip(of, _SHOT_END.split(of, maxsplit=1)[0], clip, None, planned=False)
        for clip, of in unknown.items()
    ]
    reviewed += [ReviewedClip(c, _state(c, picks), picks.opinions(c.clip)) for c in gone]
    kept = (r for r in reviewed if r.opinions or (r.clip.planned and r.clip.path))
    shots = dict.fromkeys(clip.shot for clip in clips if clip.planned)
    return Review(tuple(kept), tuple(shots))


def _state(clip: Clip, picks: Picks) -> ClipState:
    state = picks.state(clip.clip)
    return "stale" if state == "picked" and not clip.planned else state


def planned_clips(requests: Iterable[Request]) -> Iterator[Clip]:
    """The clips that requests of a plan make, whether somebody has made them or not."""
    for request in requests:
        for index, path in enumerate(request.paths):
            clip = clip_id(request.hash, index, request.videos)
            yield Clip(request.address, request.shot, clip, path)


def picks_change(old: Picks, new: Picks) -> str | None:
    """How decisions differ, as counts of clips, with who differs; None where nobody does.

    `picks: 2 → 5 picked, 0 → 1 rejected (anna, ben)`
    """
    names = sorted({*old.people, *new.people})
    differ = [name for name in names if old.people.get(name, ()) != new.people.get(name, ())]
    if not differ:
        return None
    counts = [(state, old.count(state), new.count(state)) for state in _DECIDED]
    moved = [f"{before} → {after} {state}" for state, before, after in counts if before != after]
    return f"picks: {', '.join(moved) or 'other notes or clips'} ({', '.join(differ)})"


def open_decisions(reviewed: Review) -> str | None:
    """What is left to decide, as `2 shots without a pick, 1 contested`; None if nothing is."""
    states: tuple[ClipState, ...] = ("contested", "stale")
    without = len(reviewed.without_pick)
    words = [f"{counted(without, 'shot')} without a pick"] if without else []
    words += [f"{reviewed.count(state)} {state}" for state in states if reviewed.count(state)]
    return ", ".join(words) or None
