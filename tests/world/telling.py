"""What is said of many stories, and of one."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context

from world.costs import keep_what_is_imported
from world.play import Played, play
from world.stories import Story, shrunk, story


def play_seeds(
    seeds: Sequence[int],
    say: Callable[[str], None],
    *,
    goes_on: Callable[[], bool],
    clock: Callable[[], float],
    most: int = 3,
    jobs: int = 1,
) -> int:
    """Play these while it goes on, in so many processes; 1 if anything was violated."""
    begun, played, simulated, posts, tasks, calls = clock(), [], 0.0, 0, 0, 0
    failed: list[int] = []
    for seed, seen in _played(seeds, jobs):
        played.append(seed)
        simulated += seen.seconds
        posts, tasks, calls = posts + seen.posts, tasks + seen.tasks, calls + seen.calls
        if seen.violations:
            failed.append(seed)
            say(f"seed {seed}: {'; '.join(seen.violations)}")
        if not goes_on() or len(failed) >= most:
            break
    span = f"{played[0]} to {played[-1]}" if played else "none"
    say(
        f"{len(played)} seeds ({span}), {len(failed)} with a violation; {posts} POSTs, "
        f"{tasks} tasks, {calls} calls; {clock() - begun:.0f} s here, "
        f"{simulated / 86400:.1f} days there"
    )
    for seed in failed:
        say(f"python -m tests.world --seed {seed}")
    return int(bool(failed))


def _played(seeds: Sequence[int], jobs: int) -> Iterator[tuple[int, Played]]:
    """Each seed and what was seen of its story, in order."""
    keep_what_is_imported()
    if jobs == 1:
        yield from map(_of_seed, seeds)
        return
    with get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(_of_seed, seeds, chunksize=4)


def _of_seed(seed: int) -> tuple[int, Played]:
    return seed, play(story(seed))


def replay(seed: int, say: Callable[[str], None], *, calls: bool = False) -> int:
    """Tell one story step by step; what fails is told once more, as short as it can be."""
    whole = story(seed)
    seen = _told(whole, say, calls=calls)
    if not seen.violations:
        return 0
    for kind in sorted(seen.kinds):
        short = shrunk(whole, partial(_fails_so, kind))
        say(f"\nThe shortest story of {kind}:")
        _told(short, say, calls=calls)
    return 1


def _fails_so(kind: str, tale: Story) -> bool:
    return kind in play(tale).kinds


def _told(tale: Story, say: Callable[[str], None], *, calls: bool) -> Played:
    for line in tale.lines():
        say(line)
    return play(tale, say, calls=calls)
