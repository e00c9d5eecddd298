"""Whatever is done to the example specs and templates: a plan or its mistakes, and soon."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.project import MemoryFiles

from veogen.document.problems import Problems
from veogen.planner.planner import plan
from veogen.spec.load import load_as_far

ROOT = Path(__file__).parent.parent.parent
FILES = {
    str(path.relative_to(ROOT)): path.read_bytes()
    for folder in ("specs", "templates")
    for path in (ROOT / folder).rglob("*")
    if path.is_file()
}
SPECS = sorted(n for n in FILES if n.endswith(".yaml") and n.count("/") == 1)
TEXTS = sorted(n for n in FILES if n.endswith((".yaml", ".j2", ".csv")))
TOKENS = (
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "{{ city }}",
        "{% if x %}",
        "{% endif %}",
        "{{ look.id ~ ",
        "|",
    ),
    *("{% for i in range(99999) %}", "{% endfor %}", "{% include 'quickstart.j2' %}", "{{ self }}"),
    *("{{ 'x' * 99999999 }}", "{% set x = vars %}", "{% macro m() %}", "{{ m() }}", " | slug }}"),
    *("exclude: [{", "include: [{", "sample: {count: 2, seed: 1}", "zip: [[", "takes: 3", "n: 4"),
    *("rows: data/products.csv", "rows: [{id: 1}]", "rows_key: id", "overrides: [{when: {", "}]"),
    *(
        "null",
        "-1",
        "1e9",
        ".nan",
        '"',
        "'",
        "\n",
        "\n  ",
        ",",
        ":",
        "- ",
        "é",
        "\u2028",
        "\x00",
        "#",
    ),
)
SOON = 10_000  # milliseconds, of which a busy machine may need many


@st.composite
def edits(draw: st.DrawFn) -> dict[str, bytes]:
    """The examples with some of their text replaced."""
    files = dict(FILES)
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(TEXTS))
        text = files[name].decode()
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.sampled_from([0, 0, 1, 3, 20]))
        files[name] = (text[:start] + draw(st.sampled_from(TOKENS)) + text[end:]).encode()
    return files


@settings(deadline=SOON, max_examples=40, suppress_health_check=[HealthCheck.data_too_large])
@given(edits(), st.sampled_from(SPECS), st.sampled_from([None, None, "draft"]))
def test_any_edit_gives_a_plan_or_its_mistakes(
    files: dict[str, bytes], name: str, profile: str | None
) -> None:
    problems = Problems()

    spec = load_as_far(Path(name), problems, profile=profile, files=MemoryFiles(files))
    made = None if spec is None else plan(spec, problems)

    assert problems.has_errors or made is not None
    for problem in problems.all:
        assert problem.place.path in files
        assert problem.place.line >= 1
        assert problem.place.column >= 1
