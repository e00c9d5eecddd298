"""Two specs that would have one run directory are a mistake, wherever one of them is named."""

import pytest
from support.project import Shell

SPEC = "veogen: 1\n{}shots: [{{name: a, prompt: x}}]\n"


def write(shell: Shell, **specs: str) -> None:
    (shell.folder / "specs").mkdir(exist_ok=True)
    for name, text in specs.items():
        path = shell.folder / f"specs/{name.replace('__', '.')}.yaml"
        path.write_text(SPEC.format(text))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("validate",), id="validate"),
        pytest.param(("plan",), id="plan"),
        pytest.param(("plan", "--format", "jsonl"), id="plan as lines"),
        pytest.param(("lock",), id="lock"),
        pytest.param(("lock", "--check"), id="lock --check"),
        pytest.param(("run", "--simulate", "--generation-time", "0"), id="run"),
        pytest.param(("run", "--simulate", "--dir", "elsewhere"), id="run elsewhere"),
    ],
)
def test_a_copy_whose_name_was_not_changed_is_a_mistake_though_it_is_named_alone(
    shell: Shell, command: tuple[str, ...]
) -> None:
    write(shell, a="name: autumn\n", copy="name: autumn\n")

    ended = shell.veogen(*command, "specs/copy.yaml")

    assert ended.code == 2
    assert (ended.out + ended.err).splitlines()[0] == (
        "specs/copy.yaml:2:7: error[same-run]: specs/a.yaml would have the run directory "
        "runs/autumn too; give one of them another 'name'"
    )
    assert not (shell.folder / "runs").exists()


@pytest.mark.parametrize(
    ("specs", "words", "expected"),
    [
        pytest.param(
            {"a": "", "b": "name: a\n"},
            ("specs",),
            [
                "specs/b.yaml:2:7: error[same-run]: specs/a.yaml would have the run directory runs/a too"
            ],
            id="both named",
        ),
        pytest.param(
            {"a": "profiles: {final: null}\n", "a__final": ""},
            ("specs",),
            [],
            id="but not by a profile that was taken away",
        ),
        pytest.param(
            {"a": "profiles: {final: {}}\n", "a__final": ""},
            ("specs/a.yaml",),
            [
                (
                    "specs/a.yaml:1:1: error[same-run]: specs/a.final.yaml would have the run "
                    "directory runs/a.final too"
                )
            ],
            id="the profile of one, the name of the other",
        ),
        pytest.param(
            {"a": "", "a__simulated": ""},
            ("specs/a.yaml",),
            [
                (
                    "specs/a.yaml:1:1: error[same-run]: specs/a.simulated.yaml would have the run "
                    "directory runs/a.simulated too"
                )
            ],
            id="the simulated run of one, the name of the other",
        ),
        pytest.param(
            {"a": "extends: _base.yaml\n", "b": "name: shared\n", "_base": "name: shared\n"},
            ("specs/b.yaml",),
            [
                "specs/b.yaml:2:7: error[same-run]: specs/a.yaml would have the run directory runs/shared too"
            ],
            id="a name that a base gives",
        ),
        pytest.param({"a": "", "b": ""}, ("specs",), [], id="names of their own"),
        pytest.param(
            {"a": "", "b": "name: x\n", "c": "name: x\n"},
            ("specs/a.yaml",),
            [],
            id="others that are not named",
        ),
    ],
)
def test_names_and_profiles_make_run_directories(
    shell: Shell, specs: dict[str, str], words: tuple[str, ...], expected: list[str]
) -> None:
    write(shell, **specs)

    lines = shell.veogen("validate", *words).out.splitlines()

    assert [line.split(";")[0] for line in lines] == expected


def test_one_spec_that_is_named_by_two_paths_is_one(shell: Shell) -> None:
    write(shell, a="")
    (shell.folder / "link").symlink_to("specs")

    assert shell.veogen("validate", "specs/a.yaml", "link/a.yaml").code == 0


def test_a_neighbour_that_cannot_be_read_is_none(shell: Shell) -> None:
    write(shell, a="")
    (shell.folder / "specs/broken.yaml").write_text("veogen: 1\nname: [\n")

    assert shell.veogen("validate", "specs/a.yaml").code == 0
