"""`veogen models --import`: files in the project, nothing over a file that is there."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from veogen.cli import veogen
from veogen.errors import UsageError

DOCUMENTS = Path(__file__).parents[1] / "models" / "documents"
SEEDANCE = "seedance-2.5-text-to-video"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "specs").mkdir()
    for document in DOCUMENTS.iterdir():
        shutil.copy(document, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def models(*arguments: str) -> Result:
    return CliRunner().invoke(veogen, ["models", *arguments], standalone_mode=False)


def test_a_model_is_written_into_the_project_and_known_from_then_on(root: Path) -> None:
    made = models("--import", f"openapi-{SEEDANCE}.json", "--pricing", "prices-list.json")

    assert made.stdout == f"models/{SEEDANCE}.yaml\n"
    lines = made.stderr.splitlines()
    assert lines[0] == f"{SEEDANCE}: what is to be settled by hand (also at the end of the file)"
    assert "  duration: Any integer between 4\u201330 seconds" in lines
    text = (root / f"models/{SEEDANCE}.yaml").read_text()
    assert "#   duration: Any integer between 4\u201330 seconds\n" in text
    told = models(SEEDANCE).stdout
    assert "source: prices-list.json," in told
    assert "(checked imported from openapi-seedance-2.5-text-to-video.json" in told


def test_a_file_that_is_there_stays_and_what_differs_is_told(root: Path) -> None:
    models("--import", f"openapi-{SEEDANCE}.json", "--pricing", "prices-list.json")
    path = root / f"models/{SEEDANCE}.yaml"
    changed = path.read_text().replace("default: 5", "default: 6")
    path.write_text(changed)

    again = models("--import", f"openapi-{SEEDANCE}.json").exception

    assert isinstance(again, UsageError)
    assert str(again).splitlines() == [
        f"models/{SEEDANCE}.yaml is there already and differs; move it aside to import it anew",
        "  parameters/duration/default: 6 there, 5 in the document",
        "  prices: a mapping there, nothing in the document",
    ]
    assert path.read_text() == changed


@pytest.mark.usefixtures("root")
def test_the_same_again_is_said_to_be_the_same() -> None:
    models("--import", f"openapi-{SEEDANCE}.json")

    again = models("--import", f"openapi-{SEEDANCE}.json").exception

    assert isinstance(again, UsageError)
    assert "is there already and says the same" in str(again)


def test_a_folder_of_models_that_leads_elsewhere_is_not_written_to(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (root / "models").symlink_to(outside)

    made = models("--import", f"openapi-{SEEDANCE}.json").exception

    assert str(made) == f"models/{SEEDANCE}.yaml leaves the project"
    assert list(outside.iterdir()) == []


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ("--import", "none.json"), "none.json cannot be read: No such file", id="none"
        ),
        pytest.param(
            ("--import", "specs"), "specs cannot be read: this is not a file", id="folder"
        ),
        pytest.param(
            ("--import", f"openapi-{SEEDANCE}.json", "veo"),
            f"describes no 'veo'; it describes {SEEDANCE}",
            id="another model",
        ),
        pytest.param(("--pricing", "prices-list.json"), "--pricing is for --import", id="alone"),
    ],
)
def test_what_cannot_be_imported_is_told(arguments: tuple[str, ...], message: str) -> None:
    assert message in str(models(*arguments).exception)
