"""From a task to the clips that it makes: frame size, images, seeds."""

from collections.abc import Mapping
from typing import Any

from veogen.simulator.clips import Clip
from veogen.simulator.files import Store
from veogen.simulator.links import Links
from veogen.simulator.picture import UnreadableError, size_of
from veogen.simulator.stage import has_audio, number_of, seconds_of
from veogen.simulator.tasks import Task
from veogen.simulator.words import words

_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 2160}
_TAKEN = frozenset({"image/jpeg", "image/png", "image/webp"})
_UPRIGHT = frozenset({"vertical", "portrait", "upright"})


def clips_of(task: Task, files: Store, links: Links) -> list[Clip]:
    """The clips that a task makes; raises `UnreadableError` for an image that cannot be used."""
    images = images_of(task, files, links)
    number = number_of(task.settled)
    frames = images if task.settled.get("generation_type") != "REFERENCE" else []
    return [
        Clip(
            task=task.id,
            prompt=task.prompt,
            seed=task.seed,
            size=frame_size(task.settled, images),
            seconds=seconds_of(task.settled),
            audio=has_audio(task.settled),
            number=index,
            of=number,
            stills=tuple(frames),
            fit="crop" if task.settled.get("resize_mode") == "crop" else "pad",
        )
        for index in range(1, number + 1)
    ]


def images_of(task: Task, files: Store, links: Links) -> list[bytes]:
    """The images that were uploaded to us; others stay unseen: there is no network."""
    known = task.model.parameters.get("image_urls")
    limit = known.max_bytes if known else None
    urls = task.settled.get("image_urls", ())
    found = []
    for url in urls if isinstance(urls, list) else ():
        path = links.path(url)
        if path is None or not path.startswith("/files/"):
            continue
        file = files.find(path)
        if file is None:
            raise UnreadableError(f"{url} cannot be read: no such file, or it has expired")
        if file.kind not in _TAKEN:
            raise UnreadableError(f"{url} is {file.kind}, not JPEG, PNG or WebP")
        if limit and len(file.data) > limit:
            raise UnreadableError(f"{url} is larger than {limit} bytes")
        found.append(file.data)
    return found


def frame_size(settled: Mapping[str, Any], images: list[bytes]) -> tuple[int, int]:
    """Width and height of the frames."""
    short = _SHORT_SIDE.get(str(settled.get("quality")), _SHORT_SIDE["720p"])
    long = short * 16 // 9
    return (short, long) if _is_upright(settled, images) else (long, short)


def _is_upright(settled: Mapping[str, Any], images: list[bytes]) -> bool:
    """`auto` takes the ratio from the image, else from the prompt."""
    ratio = settled.get("aspect_ratio", "16:9")
    if ratio != "auto":
        return bool(ratio == "9:16")
    if images:
        width, height = size_of(images[0])
        return height > width
    prompt = str(settled.get("prompt", ""))
    return bool(words(prompt) & _UPRIGHT) or "9:16" in prompt
