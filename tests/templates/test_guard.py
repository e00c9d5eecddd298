"""A hostile template is really stopped, and costs nobody else anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from veogen.document.files import Folder
from veogen.document.nodes import Location
from veogen.templates.renderer import Order, Renderer
from veogen.templates.template import Template, TemplateFailure

PLACE = Location("a.yaml", 1, 1)
SCOPE = {"word": "lamp", "entry": {"keys": "brass", "id": "a"}, "words": ["x", "y"]}

TEXT = "the template makes more than 64 KiB of text"
MEMORY = "the template takes more than 256 MiB of memory"
TIME = "the template takes more than 2 seconds"
FILES = "the template asks for more than 200 files below templates/"
ENDLESS = "the template calls itself without end"
DEEP = "the template is nested too deeply"
ENTRY = "write `entry.id`, or another of its keys: keys"
POWER = "`**` is not part of the language"


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    root = tmp_path_factory.mktemp("project")
    templates = root / "templates"
    templates.mkdir()
    (templates / "endless.j2").write_text("{% include 'endless.j2' %}")
    (templates / "noise.bin").write_bytes(b"\xff" * 1_000_000)
    (templates / "greeting.j2").write_text("Hello {{ word }}")
    (root / "secret.txt").write_text("secret")
    (templates / "link.txt").symlink_to(root / "secret.txt")
    (templates / "way-out.txt").symlink_to(Path("/etc/hostname"))
    with Renderer(Folder(root)) as renderer:
        yield renderer


def render(renderer: Renderer, *texts: str) -> list[str | TemplateFailure]:
    orders: list[Order] = [(renderer.prepare(Template(t, PLACE)), SCOPE, {}) for t in texts]
    return renderer.render(orders)


def message(renderer: Renderer, text: str) -> str:
    result = render(renderer, text)[0]
    assert isinstance(result, TemplateFailure), result
    return result.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{{ 'x' * 99999999 }}", TEXT, id="repetition, folded while compiling"),
        pytest.param("{{ '%999999999d' % 1 }}", MEMORY, id="wide format, folded while compiling"),
        pytest.param("{{ '%70000d' % 1 }}", TEXT, id="format"),
        pytest.param("{{ '%999999999d' | format(1) }}", MEMORY, id="format filter"),
        pytest.param("{{ '{:>999999999}'.format(1) }}", MEMORY, id="format method"),
        pytest.param("{{ '{keys:>999999999}'.format_map(entry) }}", MEMORY, id="format_map"),
        pytest.param("{{ 9 ** 99999999 }}", POWER, id="power"),
        pytest.param("{{ 'x' | center(999999999) }}", MEMORY, id="center"),
        pytest.param("{{ 'x'.ljust(999999999) }}", MEMORY, id="ljust"),
        pytest.param("{{ 'x'.zfill(999999999) }}", MEMORY, id="zfill"),
        pytest.param("{{ '\t'.expandtabs(999999999) }}", MEMORY, id="expandtabs"),
        pytest.param("{{ 'x\ny' | indent(999999999) }}", MEMORY, id="indent"),
        pytest.param("{{ 'aa' | replace('a', 'b' * 40000) }}", TEXT, id="replace"),
        pytest.param("{{ range(100000) | join(',') }}", TEXT, id="join"),
        pytest.param("{{ range(100000) | list | pprint | length }}", TEXT, id="text of a list"),
        pytest.param(
            "{% set n = namespace(x='xx') %}{% for i in range(99) %}"
            "{% set n.x = n.x ~ n.x %}{% endfor %}",
            TEXT,
            id="doubling with ~",
        ),
        pytest.param(
            "{% set n = namespace(x='xx') %}{% for i in range(99) %}"
            "{% set n.x = n.x + n.x %}{% endfor %}",
            TEXT,
            id="doubling with +",
        ),
        pytest.param(
            "{% set n = namespace(x=[1]) %}{% for i in range(99) %}"
            "{% set n.x = n.x + n.x %}{% endfor %}",
            MEMORY,
            id="doubling a list",
        ),
        pytest.param(
            "{% set x %}{% for i in range(999) %}{% for j in range(99) %}ab{% endfor %}"
            "{% endfor %}{% endset %}short",
            TEXT,
            id="text collected in set",
        ),
        pytest.param(
            "{% macro m() %}{% for i in range(40000) %}ab{% endfor %}{% endmacro %}"
            "{{ m() | length }}",
            TEXT,
            id="text collected in a macro",
        ),
        pytest.param(
            "{% filter length %}{% for i in range(40000) %}ab{% endfor %}{% endfilter %}",
            TEXT,
            id="text collected in a filter",
        ),
        pytest.param("{% for i in range(40000) %}ab{% endfor %}", TEXT, id="text put out"),
        pytest.param(
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", ENDLESS, id="a macro of itself"
        ),
        pytest.param("{% include 'endless.j2' %}", ENDLESS, id="an include of itself"),
        pytest.param(
            "{% for i in range(3) recursive %}{{ loop(range(3)) }}{% endfor %}",
            ENDLESS,
            id="a loop of itself",
        ),
        pytest.param("{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}", DEEP, id="brackets"),
        pytest.param("{{ " + "+".join("1" * 9000) + " }}", DEEP, id="a long sum"),
        pytest.param("{% if 1 %}" * 3000 + "{% endif %}" * 3000, DEEP, id="nested blocks"),
        pytest.param("{{ lipsum() }}", "'lipsum' is not defined", id="lipsum"),
        pytest.param("{{ cycler(1) }}", "'cycler' is not defined", id="cycler"),
        pytest.param("{{ words | random }}", "No filter named 'random'.", id="random"),
        pytest.param("{{ 1 // 0 }}", "integer division or modulo by zero", id="division by zero"),
        pytest.param(
            "{{ ''.__class__.__mro__ }}",
            "access to attribute '__class__' of 'str' object is unsafe.",
            id="the way to the interpreter",
        ),
        pytest.param(
            "{{ words.append(1) }}",
            "access to attribute 'append' of 'list' object is unsafe.",
            id="changing a value",
        ),
        pytest.param(
            "{% include '../secret.txt' %}",
            "there is no template '../secret.txt'",
            id="a file outside templates/",
        ),
        pytest.param(
            "{% include 'way-out.txt' %}",
            "there is no template 'way-out.txt'",
            id="a link out of the project",
        ),
        pytest.param(
            "{% include '/etc/hostname' %}",
            "there is no template '/etc/hostname'",
            id="an absolute path",
        ),
    ],
)
def test_a_hostile_template_is_refused(renderer: Renderer, text: str, expected: str) -> None:
    assert message(renderer, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
            id="loops that put out nothing",
        ),
        pytest.param(
            "{% set n = namespace(x=99999999) %}{% for i in range(40) %}"
            "{% set n.x = n.x * n.x %}{% endfor %}",
            id="one multiplication that holds the interpreter",
        ),
    ],
)
def test_a_template_that_takes_too_long_is_stopped(renderer: Renderer, text: str) -> None:
    assert message(renderer, text) == TIME


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{{ entry.keys }}{{ entry['keys'] }}", "brassbrass", id="entries first"),
        pytest.param("{% for k, v in entry.items() %}{{ k }}{% endfor %}", "keysid", id="items"),
        pytest.param("{{ nothing | default('x') }}", "x", id="default"),
        pytest.param("{{ nothing is defined }}", "False", id="is defined"),
        pytest.param("{{ word ~ '!' }}", "lamp!", id="joined"),
        pytest.param("{% include 'greeting.j2' %}", "Hello lamp", id="an include"),
        pytest.param("{{ 'Grüße, São Paulo' | slug }}", "grusse-sao-paulo", id="slug"),
        pytest.param("{{ words | map('upper') | join('/') }}", "X/Y", id="filters with arguments"),
        pytest.param(
            "{{ 'a b c' | wordwrap(1) }}{{ '<b>x</b>' | striptags }}", "a\nb\ncx", id="late imports"
        ),
        pytest.param(
            "{{ 3 * 'ab' }}{{ '%s-%s' % (1, 2) }}{{ 7 % 4 }}", "ababab1-23", id="operators"
        ),
        pytest.param("{% raw %}{{ x }}{% endraw %}", "{{ x }}", id="raw"),
        pytest.param("{% set x %}{{ word }}{% endset %}{{ x | upper }}", "LAMP", id="set"),
    ],
)
def test_what_templates_are_for_works_under_guard(
    renderer: Renderer, text: str, expected: str
) -> None:
    assert render(renderer, "{% if 1 %}" + text + "{% endif %}") == [expected]


def test_files_are_asked_for_within_a_limit_each_once(renderer: Renderer) -> None:
    loop = "{{% for i in range(3000) %}}{{% include {} ignore missing %}}{{% endfor %}}x"

    assert render(renderer, loop.format("'noise.bin'"), loop.format("'./' * 9000 ~ 'a.j2'")) == [
        "x",
        TemplateFailure("template-limit", TEXT),
    ]
    assert message(renderer, loop.format("'a' ~ i")) == FILES


@pytest.mark.parametrize(
    "text",
    [
        "{{ entry.items }}",
        "{{ range }}",
        "{{ words | map('upper') }}",
        "{{ self }}",
        "{{ dict }}",
        "{{ [words | map('upper')] }}",
        "{{ 'a' ~ words | map('upper') }}",
        "{{ (words | reverse | string)[5:] }}",
        "{{ joiner() | upper }}",
        "{{ word.upper | replace(' at 0x', '') }}",
        "{{ word | replace('lamp', words | batch(1)) }}",
        "{{ word.upper | urlencode }}",
        "{{ word.upper | slug }}",
    ],
)
def test_what_is_no_value_is_not_made_text_of(renderer: Renderer, text: str) -> None:
    """Its text would be another one in every process, and so would the request's hash."""
    assert message(renderer, text).endswith("is not text")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ('%s' % word.upper)[40:] }}",
        "{{ '{}'.format(word.upper)[40:] }}",
        "{{ '{0.upper}'.format(word) | upper }}",
        "{{ ('%s' | format([words | batch(1)]))[9:] }}",
        "{{ [word.upper] | join | upper }}",
        "{{ [word] | join(attribute='upper') | upper }}",
    ],
)
def test_nor_is_it_hidden_in_a_text(renderer: Renderer, text: str) -> None:
    assert message(renderer, text).endswith("not text")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "{{ entry }}", ("a mapping", "write `entry.id`, or another of its keys: keys")
        ),
        pytest.param("{{ words }}", ("a list", 'write `words | join(", ")`')),
        pytest.param("{{ 'a' ~ words }}", ("a list", 'write `words | join(", ")`')),
        pytest.param("{{ words | upper }}", ("a list", 'write `words | join(", ")`')),
        pytest.param("{{ 'a %s' % words }}", ("a list", 'write `words | join(", ")`')),
        pytest.param("{{ '%s' | format(entry) }}", ("a mapping", ENTRY)),
        pytest.param("{{ [entry] | join }}", ("a mapping", ENTRY)),
        pytest.param("{{ (1, 2) }}", ("a list", 'write `LIST | join(", ")`')),
        pytest.param("{{ {} }}", ("a mapping", "it has no keys")),
        pytest.param(
            "{% for it in [{'id': 1, 'b': 2}] %}{{ it }}{% endfor %}",
            ("a mapping", "write `.id`, or another of its keys: b"),
        ),
    ],
)
def test_a_mapping_or_list_put_out_whole_is_a_mistake_that_names_its_parts(
    renderer: Renderer, text: str, expected: tuple[str, str]
) -> None:
    (failure,) = render(renderer, text)

    kind, hint = expected
    assert isinstance(failure, TemplateFailure)
    assert (failure.code, failure.message, failure.hint) == (
        "not-text",
        f"{kind} cannot be put out whole",
        hint,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{{ words | join(', ') }}", "x, y", id="the items of a list"),
        pytest.param("{{ [entry] | join(attribute='id') }}", "a", id="a key of each item"),
        pytest.param("{{ entry | join('+') }}", "keys+id", id="the keys of a mapping"),
        pytest.param("{{ words | tojson }}", '["x", "y"]', id="JSON, asked for"),
        pytest.param("{{ '%s %s' % (1, word) }}", "1 lamp", id="several values for a format"),
        pytest.param("{{ words | length }}", "2", id="what is said of a list"),
    ],
)
def test_parts_of_a_mapping_or_list_are_text(renderer: Renderer, text: str, expected: str) -> None:
    assert render(renderer, text) == [expected]


def test_one_template_that_is_stopped_leaves_the_others_their_text(renderer: Renderer) -> None:
    good, bad = "{% if 1 %}{{ word }}{% endif %}", "{{ 'x' | center(999999998) }}"

    results = render(renderer, good, bad, good, bad, good)

    texts = [r.message if isinstance(r, TemplateFailure) else r for r in results]
    assert texts == ["lamp", MEMORY, "lamp", MEMORY, "lamp"]


def test_a_fault_names_its_template_and_line(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "outer.j2").write_text("a\n{% include 'inner.j2' %}")
    (tmp_path / "templates" / "inner.j2").write_text("b\n\n{{ wrod }}")
    (tmp_path / "templates" / "broken.j2").write_text("b\n{% if %}")
    with Renderer(Folder(tmp_path)) as own:
        results = render(
            own, "\n{% include 'outer.j2' %}", "\n{% include 'broken.j2' %}", "\n{{ wrod }}"
        )

    assert [(r.name, r.line, r.hint) for r in results if isinstance(r, TemplateFailure)] == [
        ("inner.j2", 3, "did you mean 'word'?"),
        ("broken.j2", 2, None),
        (None, 2, "did you mean 'word'?"),
    ]
