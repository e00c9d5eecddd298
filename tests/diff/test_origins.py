"""What the fields of requests were made of."""

from collections import Counter
from pathlib import Path, PurePosixPath

from veogen.diff.causes import WRITTEN, SourceInput, SourceMap
from veogen.document.files import Folder
from veogen.document.nodes import Location
from veogen.planner.planner import plan
from veogen.spec.load import load_spec

FILES = ("a.yaml", "templates/a.j2", "templates/end.j2")
SPEC = """\
veogen: 1
vars: {brand: Lumen}
shots:
  - name: s
    template: a.j2
    takes: 3
"""


class CountingFolder(Folder):
    """Knows how often each file was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: Counter[str] = Counter()

    def read(self, path: PurePosixPath, at_most: int | None = None) -> bytes:
        self.reads[str(path)] += 1
        return super().read(path, at_most)


def test_a_template_is_read_once_however_many_requests_are_made_of_it(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "a.yaml").write_text(SPEC)
    (tmp_path / "templates/a.j2").write_text("{% include 'end.j2' %} {{ brand }}")
    (tmp_path / "templates/end.j2").write_text("The end.")
    files = CountingFolder(tmp_path)
    spec = load_spec(Path("a.yaml"), files=files)
    requests = plan(spec).requests
    origins = SourceMap(spec)
    files.reads.clear()

    found = [origins.inputs(request, "prompt") for request in requests]

    spec_file, whole, end = map(files.shown, map(PurePosixPath, FILES))
    written = SourceInput("{% include 'end.j2' %} {{ brand }}", Location(whole, 1, 1), lines=True)
    assert (
        found
        == [
            {
                WRITTEN: written,
                "value brand": SourceInput('"Lumen"', Location(spec_file, 2, 15)),
                "template end.j2": SourceInput("The end.", Location(end, 1, 1), lines=True),
            }
        ]
        * 3
    )
    assert files.reads == {"templates/a.j2": 1, "templates/end.j2": 1}


def test_a_word_of_a_prompt_is_no_value_that_it_uses(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "veogen: 1\n"
        "vars: {city: Oslo, look: dusk, mood: calm, brand: Lumen}\n"
        "shots: [{name: s, prompt: 'The city of {{ vars.brand }} at {{ look }}, a mood'}]\n"
    )
    spec = load_spec(Path("a.yaml"), files=Folder(tmp_path))
    (request,) = plan(spec).requests

    found = SourceMap(spec).inputs(request, "prompt")

    assert list(found) == [WRITTEN, "value look", "value brand"]
