"""What SPEC arguments and the options beside them mean, to every command that has them."""

import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from veogen.cli.options import SpecOptions, spec_options, specs_argument
from veogen.cli.specs import load_specs, spec_paths
from veogen.document.files import OutsideRootError
from veogen.document.problems import MistakesError
from veogen.errors import UsageError

SPEC = "veogen: 1\nshots: [{name: a, prompt: x}]\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    for name in ("b.yaml", "a.yaml", "_base.yaml", "a.lock.yaml"):
        (tmp_path / "specs" / name).write_text(SPEC)
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_folder_means_its_specs_and_each_is_meant_once() -> None:
    found = spec_paths([Path("specs/b.yaml"), Path("specs"), Path("specs/_base.yaml")])

    assert list(map(str, found)) == ["specs/b.yaml", "specs/a.yaml", "specs/_base.yaml"]


def test_a_file_that_is_named_in_two_ways_is_meant_once(project: Path) -> None:
    found = spec_paths([Path("specs/b.yaml"), project / "specs/b.yaml", Path("specs/../specs")])

    assert list(map(str, found)) == ["specs/b.yaml", "specs/../specs/a.yaml"]


def test_a_link_in_a_folder_may_lead_out_of_it_but_not_out_of_the_project(project: Path) -> None:
    (project / "shared.yaml").write_text(SPEC)
    (project / "specs/c.yaml").symlink_to("../shared.yaml")

    assert spec_paths([Path("specs")])[-1] == Path("specs/c.yaml")

    (project / "specs/d.yaml").symlink_to("/etc/hostname")
    with pytest.raises(OutsideRootError, match=r"specs/d\.yaml leaves the project"):
        spec_paths([Path("specs")])


def test_a_folder_without_specs_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="'empty' holds no spec: no YAML file with a key 'veogen'"):
        spec_paths([Path("empty")])


def test_without_an_argument_the_specs_of_the_project_are_meant(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(map(str, spec_paths([]))) == ["specs/a.yaml", "specs/b.yaml"]

    monkeypatch.chdir(project / "empty")
    assert list(map(str, spec_paths([]))) == ["../specs/a.yaml", "../specs/b.yaml"]


def test_a_project_without_the_folder_has_to_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other/.git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "other")

    with pytest.raises(UsageError, match=r"^name a spec: this project has no folder specs/$"):
        spec_paths([])


def test_a_project_is_no_folder_of_specs_but_names_its_own(project: Path) -> None:
    (project / "marketing/specs").mkdir(parents=True)

    with pytest.raises(UsageError, match=r"; did you mean marketing/specs\?$"):
        spec_paths([Path("marketing")])


def test_a_pipe_is_not_waited_for(project: Path) -> None:
    os.mkfifo(project / "pipe")

    with pytest.raises(UsageError, match=r"^pipe: this is not a file$"):
        spec_paths([Path("pipe")])


def test_the_mistakes_of_all_specs_are_told_together(project: Path) -> None:
    (project / "specs/a.yaml").write_text("veogen: 2")
    (project / "specs/b.yaml").write_text("veogen: [")

    with pytest.raises(MistakesError) as caught:
        load_specs([Path("specs")], SpecOptions())

    assert {problem.place.path for problem in caught.value.problems} == {
        "specs/a.yaml",
        "specs/b.yaml",
    }


def test_profile_and_settings_are_those_of_every_spec(project: Path) -> None:
    for name in ("a", "b"):
        text = f"{SPEC}profiles: {{draft: {{params: {{n: 2}}}}}}"
        (project / f"specs/{name}.yaml").write_text(text)

    specs = load_specs([Path("specs")], SpecOptions(profile="draft", settings=("params.seed=1",)))

    params = [[layer.params for layer in spec.shots[0].tops] for spec in specs]
    assert params == [[{"n": 2}, {}, {"seed": 1}]] * 2


def options_of(*arguments: str) -> SpecOptions:
    taken: list[SpecOptions] = []

    @click.command()
    @specs_argument
    @spec_options
    def command(specs: tuple[Path, ...], **given: Any) -> None:
        del specs
        taken.append(SpecOptions.taken_from(given))

    result = CliRunner().invoke(command, ["specs", *arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return taken[0]


def test_globs_may_be_read_from_a_file(project: Path) -> None:
    listed = 'opening[city="New York"]\n\n  closing*  \r\nodd["a\u2028b"]\n'
    (project / "chosen.txt").write_text(listed)

    options = options_of("--select", "@chosen.txt", "--select", "b*", "--deselect", "c?")

    assert options == SpecOptions(
        select=('opening[city="New York"]', "closing*", 'odd["a\u2028b"]', "b*"),
        deselect=("c?",),
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("nope.txt", "No such file or directory", id="not there"),
        pytest.param("specs", "Is a directory", id="a folder"),
        pytest.param("latin.txt", "it is not UTF-8", id="of another encoding"),
    ],
)
def test_a_list_of_addresses_that_cannot_be_read_is_a_mistake(
    project: Path, name: str, why: str
) -> None:
    (project / "latin.txt").write_bytes(b"Z\xfcrich\n")

    with pytest.raises(UsageError, match=f"'{name}' cannot be read as a list of addresses: {why}$"):
        options_of("--select", f"@{name}")


def test_an_empty_list_chooses_nothing_instead_of_everything(project: Path) -> None:
    (project / "none.txt").write_text("\n \r\n")

    with pytest.raises(UsageError, match=r"^--select @none\.txt names no address$"):
        options_of("--select", "@none.txt")
    assert options_of("--deselect", "@none.txt") == SpecOptions()
    assert options_of("--select", "@none.txt", "--select", "b") == SpecOptions(select=("b",))


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(click.UsageError, match="0 is not in the range x>=1"):
        options_of("--max-requests", "0")
