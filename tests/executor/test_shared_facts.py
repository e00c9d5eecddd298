"""What the logs of several machines come to, of a task whose links each saw in its own order."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from msgspec import structs
from support.virtual import VIDEO

from veogen.executor.shared_facts import shared_facts
from veogen.results.events import Event, TaskCompleted, TaskCreated, VideoSaved
from veogen.store.history import History
from veogen.store.layout import Fact

HASH, TASK = "a" * 64, "task-1"
A, B = (f"https://media.example/task-1/{name}.mp4" for name in "ab")


def made(*links: str) -> Event:
    signed = tuple(f"{link}?sig={len(links)}" for link in links)
    return TaskCompleted(HASH, TASK, signed, None, 5.0)


def saved(index: int, clip: str) -> Event:
    path = f"videos/city/x-{HASH[:10]}-{index + 1}.mp4"
    video = structs.replace(VIDEO, path=path, sha256=sha256(clip.encode()).hexdigest())
    return VideoSaved(HASH, index, video, TASK)


HERE_AB = [made(A, B), saved(0, A)]
THERE_BA = [made(B, A), saved(0, B)]


@pytest.mark.parametrize(
    ("events", "clips", "whole"),
    [
        pytest.param([*HERE_AB, saved(1, B)], [A, B], True, id="one machine"),
        pytest.param([*HERE_AB, *THERE_BA, saved(1, A)], [A, B], True, id="two, in two orders"),
        pytest.param([*THERE_BA, saved(1, A), *HERE_AB], [B, A], True, id="the other first"),
        pytest.param([*HERE_AB, *THERE_BA], [A, B], True, id="each has its first"),
        pytest.param([*HERE_AB, made(B, A), saved(1, A)], [A], False, id="both have one clip"),
        pytest.param([*HERE_AB, made(B), saved(0, B)], [A, B], True, id="one saw but one link"),
        pytest.param([made(A, B), saved(0, A), saved(1, A)], [A, A], True, id="all are alike"),
    ],
)
def test_a_clip_has_one_place(
    events: Sequence[Event], clips: Sequence[str], *, whole: bool
) -> None:
    history = History()
    for event in [TaskCreated(HASH, 1, TASK, None, 1.0), *events]:
        history.take(Fact.of(event, 1), "a record")

    task = shared_facts(history, HASH).tasks[0]

    wanted = [sha256(link.encode()).hexdigest() for link in clips]
    assert [task.videos[at].sha256 for at in sorted(task.videos)] == wanted
    assert task.whole is whole
