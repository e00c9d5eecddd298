"""What a profile with `promotes` plans: the combinations of which people picked a clip.

It reads the spec and the committed picks, never a run: which clip a pick means follows from what
the promoted profile plans today.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from veogen.document.nodes import Location
from veogen.document.problems import Problem, Problems
from veogen.planner.checks import request_limit
from veogen.planner.identity import combination_of
from veogen.planner.plan import Request
from veogen.planner.planner import plan
from veogen.results.picks import Decision, Picks, PicksFolder, clip_id, load_picks
from veogen.spec.load import load_as_far
from veogen.spec.types import Promotion, Spec

_TAKE = re.compile(r"#[1-9][0-9]*\Z")


def with_picks(
    spec: Spec,
    problems: Problems,
    *,
    simulated: bool = False,
    max_requests: int | None = None,
    needs_one: bool = True,
) -> Spec:
    """The spec with the picked combinations of a profile that promotes; any other as it is.

    The mistakes of picks files go to `problems`; so does, where it `needs_one`, that no clip is
    picked. What is left out is told in the spec's warnings. `simulated`: the picks are those of
    the simulated run.
    """
    promotion = spec.promotion
    if promotion is None:
        return spec
    place = PicksFolder.of(spec.path, promotion.profile, simulated=simulated)
    picks = load_picks(spec.files, place, problems)
    requests = _promoted_requests(spec, promotion, problems, max_requests)
    promoted = _Promoted(picks, requests, promotion.place)
    picked = promoted.picked()
    if needs_one and not picked and not problems.has_errors:
        whose = promotion.profile or "the spec without a profile"
        message = f"no clip of {whose} is picked, so there is nothing to make anew"
        hint = f"pick in the gallery; picks are {place.file('NAME')}"
        problems.error(promotion.place, "no-picks", message, hint)
    return replace(
        spec,
        promotion=replace(promotion, picked=picked),
        warnings=(*spec.warnings, *promoted.warnings()),
    )


def _promoted_requests(
    spec: Spec, promotion: Promotion, problems: Problems, max_requests: int | None
) -> tuple[Request, ...]:
    """All that the promoted profile plans; its mistakes are those of its own plan."""
    loaded = load_as_far(
        Path(spec.path), Problems(), profile=promotion.profile, files=spec.files, lenient=True
    )
    if loaded is None:
        return ()
    free = loaded.with_all_combinations()
    free = replace(free, budget=replace(loaded.budget, max_credits=None))
    own = Problems()
    most = request_limit(free, None)  # what the command allows is about what is promoted
    made = plan(free, own, max_requests=max(most, max_requests or 0))
    problems.extend(p for p in own.all if p.code == "too-many-requests")
    return made.requests


@dataclass(frozen=True, slots=True)
class _Promoted:
    """Picks beside the requests that they are about; `place` is where the promotion is said."""

    picks: Picks
    requests: tuple[Request, ...]
    place: Location

    @property
    def by_clip(self) -> Mapping[str, Request]:
        return {
            clip_id(request.hash, index, request.videos): request
            for request in self.requests
            for index in range(request.videos)
        }

    @property
    def by_combination(self) -> Mapping[str, Request]:
        """The first request of each combination."""
        found: dict[str, Request] = {}
        for request in self.requests:
            found.setdefault(combination_of(request.address, request.take), request)
        return found

    def picked(self) -> dict[str, tuple[str, ...]]:
        """The combinations of which a clip is picked, with those clips."""
        by_clip, by_combination = self.by_clip, self.by_combination
        found: dict[str, list[str]] = {}
        for decision in self._decided():
            if self.picks.state(decision.clip) != "picked":
                continue
            request = by_clip.get(decision.clip)
            combination = (
                _TAKE.sub("", decision.of)
                if request is None
                else combination_of(request.address, request.take)
            )
            if combination in by_combination:
                found.setdefault(combination, []).append(decision.clip)
        return {name: tuple(clips) for name, clips in found.items()}

    def warnings(self) -> Iterator[Problem]:
        """What is left out, and what was changed since it was picked."""
        by_clip, by_combination = self.by_clip, self.by_combination
        for of, clip, *_ in self._decided():
            state, now = self.picks.state(clip), by_combination.get(_TAKE.sub("", of))
            if state == "contested":
                verdicts = {"pick": "picked", "reject": "rejected"}
                opinions = self.picks.opinions(clip)
                who = ", ".join(f"{o.by} {verdicts[o.verdict]} it" for o in opinions)
                yield self._warning("contested-pick", f"{of}: clip {clip} is left out: {who}")
            elif state == "picked" and clip not in by_clip and now is None:
                message = f"{of}: picked clip {clip} is left out: its combination is gone"
                yield self._warning("gone-pick", message)
            elif state == "picked" and clip not in by_clip and now is not None:
                message = (
                    f"{of}: picked clip {clip} left the plan, where {clip_id(now.hash)} stands "
                    "now: what is made anew is the combination as it is today"
                )
                yield self._warning("stale-pick", message)

    def _decided(self) -> Iterator[Decision]:
        """One line of each clip that somebody decided about."""
        seen: set[str] = set()
        for decision in self.picks.decisions:
            if decision.clip not in seen:
                seen.add(decision.clip)
                yield decision

    def _warning(self, code: str, message: str) -> Problem:
        return Problem(self.place, "warning", code, message)
