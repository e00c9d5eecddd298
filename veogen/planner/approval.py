"""A lock bought as it is: whether it may be, at today's prices and with the images it names."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from veogen.document.files import Files, OutsideRootError
from veogen.document.problems import Problem, Problems
from veogen.document.values import Place
from veogen.planner.budget import over_budget
from veogen.planner.checks import Judge
from veogen.planner.plan import Plan, Request
from veogen.planner.size import most_allowed
from veogen.planner.stored import Stored
from veogen.spec.model import Spec
from veogen.spec.policy import read_policy


def spec_of(
    lock: Stored, files: Files, path: PurePosixPath, problems: Problems, *, lenient: bool = False
) -> Spec:
    """The lock in the place of a spec: it has no shots, and what it makes is its plan."""
    return Spec(
        name=lock.plan.name,
        path=path,
        files=files,
        description=None,
        profile=None,
        settings=(),
        shots=(),
        budget=lock.plan.budget,
        policy=read_policy(files, problems, lenient=lenient),
    )


def approved(lock: Stored, spec: Spec, problems: Problems, max_requests: int | None) -> Plan:
    """The plan of a lock, estimated anew; what stands against buying it goes to `problems`."""
    plan = replace(
        lock.plan, requests=tuple(_estimated(request, spec) for request in lock.plan.requests)
    )
    most = most_allowed(spec, max_requests)
    if len(plan.requests) > most:
        message = f"{len(plan.requests):,} requests are more than {most:,}"
        hint = f"--max-requests {len(plan.requests)} allows it"
        problems.error(lock.place, "too-many-requests", message, hint)
    judge = Judge(spec.policy.models)
    for request in plan.requests:
        problems.extend(_against(request, judge))
    problems.extend(_other_images(plan, spec.files))
    problems.extend(over_budget(plan, lock.place))
    return plan


def _estimated(request: Request, spec: Spec) -> Request:
    model = spec.policy.models.get(str(request.body.get("model")))
    if model is None:
        return replace(request, credits=None, seconds=None)
    body = request.body
    return replace(request, credits=model.estimate(body), seconds=model.seconds(body))


def _against(request: Request, judge: Judge) -> Iterator[Problem]:
    """What the models of today have against a request that was approved earlier."""
    for found in judge.judge(request.body).objections:
        message = f"{found.message} ({request.address})"
        yield Problem(request.place, found.severity, found.code, message, found.hint)


def _other_images(plan: Plan, files: Files) -> Iterator[Problem]:
    """The images that are not those that were approved."""
    seen: dict[tuple[str, str], Place] = {}
    for request in plan.requests:
        for image in request.images:
            seen.setdefault((image.path, image.sha256), request.place)
    for (path, sha256), place in seen.items():
        if _sha256(files, PurePosixPath(path)) != sha256:
            message = f"{path!r} is not the image that was approved: restore it, or lock again"
            yield Problem(place, "error", "other-image", message)


def _sha256(files: Files, path: PurePosixPath) -> str | None:
    try:
        return hashlib.sha256(files.read(path)).hexdigest()
    except (OSError, OutsideRootError):
        return None
