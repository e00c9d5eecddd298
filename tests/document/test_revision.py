"""Files at a revision of a real git repository, and what a hostile one cannot do."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from support.project import Repo

from veogen.document.files import OutsideRootError
from veogen.document.git import GitError, Repository, Revision, Tree


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.fixture
def opened(repo: Repo) -> Iterator[Repository]:
    with Repository.around(repo.path) as repository:
        yield repository


def at(repository: Repository, revision: str, below: str = "") -> Revision:
    tree = Tree(repository, repository.commit(revision), revision)
    return Revision(tree, PurePosixPath(below))


def read(files: Revision, path: str) -> bytes:
    return files.read(PurePosixPath(path))


def test_files_are_as_they_were(repo: Repo, opened: Repository) -> None:
    repo.write("specs/a.yaml", "old")
    repo.write("specs/gone.yaml", "gone")
    repo.commit()
    repo.write("specs/a.yaml", "new")
    (repo.path / "specs/gone.yaml").unlink()
    repo.commit()
    repo.write("specs/a.yaml", "not committed")

    assert read(at(opened, "HEAD"), "specs/a.yaml") == b"new"
    assert read(at(opened, "HEAD~1"), "specs/a.yaml") == b"old"
    assert list(at(opened, "HEAD~1").names(PurePosixPath("specs"))) == ["a.yaml", "gone.yaml"]
    assert list(at(opened, "HEAD").names(PurePosixPath("specs"))) == ["a.yaml"]


def test_bytes_are_those_that_were_committed(repo: Repo, opened: Repository) -> None:
    raw = bytes(range(256)) * 100 + b"\r\n"
    repo.write("a.png", raw)
    repo.commit()

    assert read(at(opened, "main"), "a.png") == raw


def test_a_project_may_be_a_folder_of_a_repository(repo: Repo, opened: Repository) -> None:
    repo.write("video/specs/a.yaml", "here")
    repo.write("secret.txt", "outside")
    repo.commit()

    files = at(opened, "HEAD", "video")

    assert read(files, "specs/a.yaml") == b"here"
    assert files.root == repo.path / "video"
    assert files.shown(PurePosixPath("specs/a.yaml")) == "HEAD:video/specs/a.yaml"


def test_a_folder_lists_files_alone(repo: Repo, opened: Repository) -> None:
    repo.write("a/b", "x")
    repo.write("a/c/d", "x")
    repo.link("a/e", "b")
    repo.link("a/f", "c")
    repo.link("a/g", "nowhere")
    repo.commit()

    assert list(at(opened, "HEAD").names(PurePosixPath("a"))) == ["b", "e"]
    assert list(at(opened, "HEAD").names(PurePosixPath("none"))) == []
    assert list(at(opened, "HEAD").names(PurePosixPath("a/b"))) == []


def test_what_is_not_there_is_an_error_of_the_system(repo: Repo, opened: Repository) -> None:
    repo.write("a/b", "x")
    repo.commit()

    for path in ("a/none", "none/b", "a/b/c"):
        with pytest.raises(FileNotFoundError):
            read(at(opened, "HEAD"), path)
    with pytest.raises(IsADirectoryError):
        read(at(opened, "HEAD"), "a")


def test_links_are_followed_inside_the_project(repo: Repo, opened: Repository) -> None:
    repo.write("video/images/a.png", "picture")
    repo.link("video/link.png", "images/a.png")
    repo.link("video/folder", "images")
    repo.link("video/images/deep/up", "../../folder")
    repo.commit()
    files = at(opened, "HEAD", "video")

    assert read(files, "link.png") == b"picture"
    assert read(files, "folder/a.png") == b"picture"
    assert read(files, "images/deep/up/a.png") == b"picture"


@pytest.mark.parametrize(
    "target",
    ["../secret.txt", "../missing.txt", "/etc/passwd", "../../secret.txt", "../../../../x"],
)
def test_a_link_that_leaves_the_project_is_refused_whatever_it_points_to(
    repo: Repo, opened: Repository, target: str
) -> None:
    repo.write("secret.txt", "secret")
    repo.link("video/link", target)
    repo.commit()

    with pytest.raises(OutsideRootError):
        read(at(opened, "HEAD", "video"), "link")


def test_links_in_a_circle_are_an_error(repo: Repo, opened: Repository) -> None:
    repo.link("a", "b")
    repo.link("b", "a")
    repo.commit()

    with pytest.raises(OSError, match="Too many levels"):
        read(at(opened, "HEAD"), "a")


def test_a_submodule_is_named(repo: Repo, opened: Repository, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.write("a.j2", "x")
    other.commit()
    repo.git("submodule", "add", "-q", str(other.path), "templates")
    repo.commit()

    with pytest.raises(GitError) as caught:
        read(at(opened, "HEAD"), "templates/a.j2")

    assert str(caught.value) == (
        "HEAD:templates/a.j2: templates is a submodule, a repository of its own; its files "
        "cannot be read at a revision of this one"
    )


def pointer(content: bytes) -> str:
    id_ = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{id_}\nsize {len(content)}\n"


def test_a_pointer_to_what_is_not_in_the_clone_says_how_to_get_it(
    repo: Repo, opened: Repository
) -> None:
    repo.write("a.png", pointer(b"picture"))
    repo.commit()

    with pytest.raises(GitError) as caught:
        read(at(opened, "HEAD"), "a.png")

    assert str(caught.value) == (
        "HEAD:a.png: its content is kept in Git LFS and is not in this clone; "
        "get it with: git lfs fetch origin HEAD"
    )


@pytest.mark.parametrize(
    ("kept", "is_read"), [(b"picture", True), (b"another", False)], ids=["whole", "tampered with"]
)
def test_large_content_is_read_from_the_clone_if_it_is_what_was_committed(
    repo: Repo, opened: Repository, kept: bytes, *, is_read: bool
) -> None:
    id_ = hashlib.sha256(b"picture").hexdigest()
    repo.write("a.png", pointer(b"picture"))
    repo.commit()
    repo.write(f".git/lfs/objects/{id_[:2]}/{id_[2:4]}/{id_}", kept)

    if is_read:
        assert read(at(opened, "HEAD"), "a.png") == b"picture"
    else:
        with pytest.raises(GitError):
            read(at(opened, "HEAD"), "a.png")


def test_repositories_of_sha256_are_read_too(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "modern", "--object-format=sha256")
    repo.write("a/b/c", "x")
    repo.commit()

    with Repository.around(repo.path) as opened:
        assert read(at(opened, "HEAD"), "a/b/c") == b"x"


def test_the_merge_base_is_where_the_branches_part(repo: Repo, opened: Repository) -> None:
    base = repo.commit()
    repo.git("switch", "-q", "-c", "topic")
    repo.write("a", "x")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write("b", "x")
    repo.commit()
    repo.git("switch", "-q", "topic")

    assert opened.merge_base("main") == base


@pytest.mark.parametrize("revision", ["none", "--version", "-h", "", "HEAD:a", "HEAD^{tree}"])
def test_what_is_no_revision_is_refused(repo: Repo, opened: Repository, revision: str) -> None:
    repo.write("a", "x")
    repo.commit()

    with pytest.raises(GitError, match="is not a revision of"):
        opened.commit(revision)


def test_a_shallow_clone_says_what_to_fetch(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    repo.git("branch", "old")
    repo.commit()
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", tmp_path / "shallow")

    with Repository.around(tmp_path / "shallow") as shallow, pytest.raises(GitError) as caught:
        shallow.merge_base("HEAD~1")

    assert str(caught.value) == (
        f"'HEAD~1' is not a revision of {tmp_path / 'shallow'}; "
        "this clone is shallow: fetch its history (fetch-depth: 0)"
    )


def test_a_folder_outside_of_any_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Repository.around(tmp_path, {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})


def test_git_that_is_not_installed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="git is not installed"):
        Repository.around(tmp_path, {"PATH": str(tmp_path)})


def test_nothing_that_a_repository_configures_is_executed(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "executed"
    script = repo.write("evil", f"#!/bin/sh\necho $0 $@ >> {mark}\n")
    script.chmod(0o755)
    repo.write("a.txt", "text")
    repo.write(".gitattributes", "*.txt filter=evil diff=evil merge=evil\n")
    repo.commit()
    hooks = repo.path / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        (hooks / hook).symlink_to(script)
    for name in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.evil.process",
        "gpg.program",
        "pager.rev-parse",
        "pager.cat-file",
        "alias.cat-file",
        "uploadpack.packObjectsHook",
    ):
        repo.config(name, script)
    repo.config("core.hooksPath", hooks)
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS"):
        monkeypatch.setenv(name, str(script))

    with Repository.around(repo.path) as opened:
        files = at(opened, opened.merge_base("HEAD"))
        assert read(files, "a.txt") == b"text"
        assert "a.txt" in files.names(PurePosixPath())

    assert not mark.exists()


def test_a_partial_clone_fetches_nothing_and_starts_nothing(repo: Repo, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    script = repo.write("evil", f"#!/bin/sh\necho executed >> {mark}\nexit 1\n")
    script.chmod(0o755)
    repo.write("a.txt", "text")
    repo.commit()
    repo.config("uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{repo.path}", clone)
    repo.git("-C", clone, "config", "remote.origin.uploadpack", script)
    repo.git("-C", clone, "config", "core.sshCommand", script)

    with Repository.around(clone) as opened, pytest.raises(GitError) as caught:
        read(at(opened, "HEAD"), "a.txt")

    assert "is not in this clone; fetch it with git first" in str(caught.value)
    assert not mark.exists()


def test_the_environment_cannot_point_to_another_repository(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("a", "mine")
    repo.commit()
    other = Repo(tmp_path / "other")
    other.write("a", "other")
    other.commit()
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git/objects"))

    with Repository.around(repo.path) as opened:
        assert read(at(opened, "HEAD"), "a") == b"mine"


def test_a_folder_that_looks_like_a_repository_is_none(repo: Repo) -> None:
    repo.write("specs/a.yaml", "x")
    repo.commit()
    repo.git("clone", "-q", "--bare", f"file://{repo.path}", "specs/bare")

    with pytest.raises(GitError):
        Repository.around(repo.path / "specs/bare")


def test_the_process_that_reads_ends_with_the_repository(repo: Repo) -> None:
    repo.write("a", "x")
    repo.commit()

    with Repository.around(repo.path) as opened:
        read(at(opened, "HEAD"), "a")

    opened.close()
    assert read(at(opened, "HEAD"), "a") == b"x"  # and starts again when it is needed
    opened.close()
