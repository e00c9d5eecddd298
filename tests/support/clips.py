"""Real clips for tests, each made once."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from veogen.simulator.video import SimulatedClip, render

FAST = "veo-3.1-fast-generate-preview"


@lru_cache(maxsize=16)
def clip(
    size: tuple[int, int] = (1280, 720), *, seconds: int = 4, audio: bool = True, seed: int = 1
) -> bytes:
    """The bytes of a clip of the simulator: H.264, and AAC with `audio`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        render(
            SimulatedClip(
                task="task", prompt="a boat", seed=seed, size=size, seconds=seconds, audio=audio
            ),
            path,
        )
        return path.read_bytes()
