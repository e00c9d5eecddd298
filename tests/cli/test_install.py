"""How a workflow installs the same veogen, never one that nobody has published."""

import json

import pytest

from veogen import __version__
from veogen.cli.init import Installation, installation_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = {"vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main"}}
FOLDER = "this veogen comes from a folder or file of one machine; "
SSH = "this veogen comes from a ssh address; "
FILL_IN = "name a version, or git+https://…@COMMIT"


@pytest.mark.parametrize(
    ("origin", "environ", "command"),
    [
        pytest.param(None, {}, f"'veogen[store]=={__version__}'", id="a published version"),
        pytest.param(
            None,
            {"PIP_INDEX_URL": "https://anna:5ecret@pypi.example.com/simple"},
            f"--index-url https://pypi.example.com/simple 'veogen[store]=={__version__}'",
            id="of an index, without the credentials for it",
        ),
        pytest.param(
            {"url": "https://token@github.com/o/veogen.git", **GIT},
            {},
            f"'veogen[store] @ git+https://github.com/o/veogen.git@{COMMIT}'",
            id="a commit of a repository",
        ),
        pytest.param(
            {"url": "https://github.com/o/tools.git", **GIT, "subdirectory": "video"},
            {},
            f"'veogen[store] @ git+https://github.com/o/tools.git@{COMMIT}#subdirectory=video'",
            id="a folder of one",
        ),
        pytest.param(
            {"url": "https://files.example.com/veogen-1-py3-none-any.whl", "archive_info": {}},
            {},
            "'veogen[store] @ https://files.example.com/veogen-1-py3-none-any.whl'",
            id="a file that is served",
        ),
    ],
)
def test_it_is_installed_from_where_it_came(
    origin: dict[str, object] | None, environ: dict[str, str], command: str
) -> None:
    written = None if origin is None else json.dumps(origin)

    assert installation_of(written, environ) == Installation(f"python -m pip install {command}")


@pytest.mark.parametrize(
    ("origin", "todo"),
    [
        pytest.param(
            {"url": "file:///home/anna/veogen", "dir_info": {"editable": True}}, FOLDER, id="folder"
        ),
        pytest.param(
            {"url": "file:///tmp/veogen.whl", "archive_info": {}}, FOLDER, id="a file of it"
        ),
        pytest.param({"url": "ssh://git@example.com/veogen.git", **GIT}, SSH, id="behind a key"),
    ],
)
def test_what_others_cannot_reach_has_to_be_filled_in(origin: dict[str, object], todo: str) -> None:
    install = installation_of(json.dumps(origin), {})

    assert install.todo == todo + FILL_IN
    assert install.command == (
        f"echo '::error::Fill in how to install veogen: {todo}{FILL_IN}'; exit 1"
    )
