"""What people decided: their files, strictly read, and the sum of them."""

from pathlib import Path, PurePosixPath

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.project import Repo

from veogen.document.files import Folder
from veogen.document.problems import MistakesError, Problems
from veogen.results.picks import (
    Clip,
    ClipState,
    Decision,
    Opinion,
    Picks,
    PicksFolder,
    Review,
    ReviewedClip,
    clip_id,
    laid_over,
    load_picks,
    open_decisions,
    picks_change,
    picks_text,
    read_picks,
    review,
    saved_name,
)

RAIN = Decision("opening[city=Tokyo,look=noir]", "3f2a9c1b04", "pick", "the one with rain")
FAST = Decision("opening[city=Tokyo,look=noir]#2", "9d01aa37ce-2", "reject", "too fast")
PLAIN = Decision("closing", "0000000000", "pick")

EXAMPLE = """\
format: veogen.picks/1
picks:
  - {of: "closing", clip: "0000000000", verdict: pick}
  - {of: "opening[city=Tokyo,look=noir]", clip: "3f2a9c1b04", verdict: pick, note: "the one with rain"}
  - {of: "opening[city=Tokyo,look=noir]#2", clip: "9d01aa37ce-2", verdict: reject, note: "too fast"}
"""


def test_a_file_is_sorted_and_holds_one_line_a_clip() -> None:
    assert picks_text([FAST, PLAIN, RAIN]) == EXAMPLE
    assert read_picks(EXAMPLE.encode(), "a.yaml") == (PLAIN, RAIN, FAST)


def test_a_file_without_a_decision_is_one_too() -> None:
    assert picks_text([]) == "format: veogen.picks/1\npicks: []\n"
    assert read_picks(picks_text([]).encode(), "a.yaml") == ()


NOTES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]))


@given(
    st.lists(
        st.builds(
            Decision,
            NOTES,
            st.from_regex(r"[0-9a-f]{10}(-[1-9][0-9]?)?", fullmatch=True),
            st.sampled_from(["pick", "reject"]),
            NOTES,
        ),
        min_size=1,
        unique_by=lambda decision: decision.clip,
    )
)
def test_whatever_people_note_is_read_back_by_us_and_by_others(lines: list[Decision]) -> None:
    text = picks_text(lines)

    assert read_picks(text.encode(), "a.yaml") == tuple(sorted(lines))
    others = yaml.safe_load(text)["picks"]
    assert [one["of"] for one in others] == [one.of for one in sorted(lines)]
    assert [one.get("note", "") for one in others] == [one.note for one in sorted(lines)]
    assert text.count("\n") == 2 + len(lines)


HEAD = "format: veogen.picks/1\npicks:\n"
MARK = '  - {of: "a", clip: "0123456789", verdict: pick}\n'


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        pytest.param(
            "format: veogen.picks/2\npicks: []\n",
            [
                "p.yaml:1:9: error[format]: the format is 'veogen.picks/2', this veogen reads 'veogen.picks/1'"
            ],
            id="another version",
        ),
        pytest.param(
            "picks:\n" + MARK,
            ["p.yaml:1:1: error[missing-key]: a picks file needs 'format'"],
            id="no version",
        ),
        pytest.param(
            HEAD
            + '  - {of: "a", clip: 0123456789, verdict: picked, notes: ""}\n'
            + '  - {clip: "0123456789-0", verdict: reject}\n',
            [
                "p.yaml:3:21: error[type]: 'clip' is a string, not 123456789",
                "p.yaml:3:42: error[value]: 'verdict' is one of 'pick', 'reject', not 'picked'",
                "p.yaml:3:50: error[unknown-key]: 'notes' is not a key of a pick; did you mean 'note'?",
                "p.yaml:4:5: error[missing-key]: a pick needs 'of'",
                ("p.yaml:4:12: error[clip]: '0123456789-0' is not a clip: the first 10 digits of its "
                "request's hash, '-2' after them for its second video"),
            ],
            id="all mistakes at once",
        ),
        pytest.param(
            HEAD + MARK + MARK.replace('"a"', '"b"'),
            [
                ("p.yaml:4:21: error[repeated-clip]: line 3 is about the clip '0123456789' already; "
                "keep one of the two")
            ],
            id="one clip twice",
        ),
        pytest.param(
            f"<<<<<<< ours\n{HEAD}=======\n>>>>>>> theirs\n",
            [("p.yaml:2:7: error[yaml-syntax]: mapping values are not allowed in this context; "
             "quote a text that has ': ' in it")],
            id="half merged",
        ),
        pytest.param(
            "- 1\n", ["p.yaml:1:1: error[type]: a picks file is a mapping, not a list"], id="a list"
        ),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_places(text: str, mistakes: list[str]) -> None:
    with pytest.raises(MistakesError) as caught:
        read_picks(text.encode(), "p.yaml")

    assert str(caught.value).splitlines() == mistakes


@pytest.mark.parametrize(
    ("profile", "simulated", "name"),
    [
        pytest.param(None, False, "specs/launch.picks.anna.yaml", id="a run"),
        pytest.param("final", False, "specs/launch.final.picks.anna.yaml", id="of a profile"),
        pytest.param(None, True, "specs/launch.simulated.picks.anna.yaml", id="simulated"),
        pytest.param("final", True, "specs/launch.final.simulated.picks.anna.yaml", id="both"),
    ],
)
def test_picks_stand_beside_the_spec(profile: str | None, name: str, *, simulated: bool) -> None:
    place = PicksFolder.of(PurePosixPath("specs/launch.yaml"), profile, simulated=simulated)

    assert str(place.file("anna")) == name
    assert place.person(PurePosixPath(name).name) == "anna"


@pytest.mark.parametrize(
    ("name", "person"),
    [
        pytest.param("launch.picks.Jörg-2.yaml", "Jörg-2", id="any letters"),
        pytest.param("launch.picks.anna.maria.yaml", "anna.maria", id="a point within"),
        pytest.param("launch.final.picks.anna.yaml", None, id="of a profile"),
        pytest.param("launch.simulated.picks.anna.yaml", None, id="of a simulated run"),
        pytest.param("other.picks.anna.yaml", None, id="of another spec"),
        pytest.param("launch.picks.yaml", None, id="of nobody"),
        pytest.param("launch.picks..yaml", None, id="an empty name"),
        pytest.param("launch.picks.a.picks.b.yaml", None, id="of a spec launch.picks.a"),
        pytest.param("launch.lock.yaml", None, id="a lock"),
    ],
)
def test_whose_picks_a_file_holds_is_in_its_name(name: str, person: str | None) -> None:
    place = PicksFolder.of(PurePosixPath("specs/launch.yaml"), simulated=False)

    assert place.person(name) == person


@pytest.mark.parametrize(
    "name",
    ["launch.picks.anna.yaml", "launch.picks.anna (1).yaml", "launch.picks.anna(12).yaml"],
)
def test_a_second_download_is_the_file_that_was_saved(name: str) -> None:
    assert saved_name(name) == "launch.picks.anna.yaml"


def test_the_imported_line_counts() -> None:
    own = [RAIN, FAST]
    imported = [FAST._replace(verdict="pick", note=""), PLAIN]

    assert laid_over(own, imported) == (PLAIN, RAIN, FAST._replace(verdict="pick", note=""))


def by(**people: str) -> Picks:
    """Picks of one clip: `p` and `r`, or `-` who says nothing."""
    verdicts = {"p": "pick", "r": "reject"}
    return Picks(
        {
            name: tuple(
                Decision("a", "0123456789", "pick" if verdicts[v] == "pick" else "reject")
                for v in word
                if v in verdicts
            )
            for name, word in people.items()
        }
    )


@pytest.mark.parametrize(
    ("picks", "state"),
    [
        pytest.param(by(), "unreviewed", id="nobody"),
        pytest.param(by(anna="-"), "unreviewed", id="nothing said"),
        pytest.param(by(anna="p"), "picked", id="picked"),
        pytest.param(by(anna="p", ben="p"), "picked", id="picked by both"),
        pytest.param(by(anna="p", ben="r"), "contested", id="contested"),
        pytest.param(by(anna="r", ben="r"), "rejected", id="rejected"),
    ],
)
def test_a_clip_is_what_all_people_together_say(picks: Picks, state: ClipState) -> None:
    assert picks.state("0123456789") == state


TOKYO = Clip("opening[city=Tokyo]", "opening", "aaaaaaaaaa", "videos/opening/Tokyo-aaaaaaaaaa.mp4")
PARIS = Clip("opening[city=Paris]", "opening", "bbbbbbbbbb", "videos/opening/Paris-bbbbbbbbbb.mp4")
CLOSING = Clip("closing", "closing", "cccccccccc", None)
OLD = Clip(
    TOKYO.address, "opening", "dddddddddd", "videos/opening/Tokyo-dddddddddd.mp4", planned=False
)
OLDER = OLD._replace(clip="eeeeeeeeee")


def test_a_review_tells_what_is_open() -> None:
    picks = Picks(
        {
            "anna": (
                Decision(OLD.address, OLD.clip, "pick", "rain"),
                Decision(PARIS.address, PARIS.clip, "pick"),
                Decision("gone[x=1]", "ffffffffff", "reject"),
            ),
            "ben": (Decision(PARIS.address, PARIS.clip, "reject", "dull"),),
        }
    )

    found = review([TOKYO, PARIS, CLOSING, OLD, OLDER], picks)

    assert found == Review(
        clips=(
            ReviewedClip(TOKYO, "unreviewed"),
            ReviewedClip(PARIS, "contested", [Opinion("anna", "pick", ""), Opinion("ben", "reject", "dull")]),
            ReviewedClip(OLD, "stale", [Opinion("anna", "pick", "rain")]),
            ReviewedClip(
                Clip("gone[x=1]", "gone", "ffffffffff", None, planned=False),
                "rejected",
                [Opinion("anna", "reject", "")],
            ),
        ),
        shots=("opening", "closing"),
    )  # fmt: skip
    assert found.without_pick == ("opening", "closing")
    assert not found.is_decided


def test_nothing_is_open_once_each_shot_has_a_pick() -> None:
    picks = Picks({"anna": (Decision(TOKYO.address, TOKYO.clip, "pick"),)})

    found = review([TOKYO, PARIS, OLD], picks)

    assert found.without_pick == ()
    assert found.is_decided
    assert (found.count("picked"), found.count("unreviewed")) == (1, 1)


@pytest.mark.parametrize(
    ("index", "videos", "name"),
    [(0, 1, "0123456789"), (0, 2, "0123456789-1"), (2, 3, "0123456789-3")],
)
def test_a_clip_is_named_by_its_hash(index: int, videos: int, name: str) -> None:
    assert clip_id("0123456789abcdef", index, videos) == name


def test_everybody_has_a_file_and_git_merges_them_without_a_hand(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.write("specs/launch.yaml", "veogen: 1\n")
    repo.write("specs/launch.picks.anna.yaml", picks_text([RAIN]))
    repo.commit()
    place = PicksFolder.of(PurePosixPath("specs/launch.yaml"), simulated=False)
    for person, line in [("ben", RAIN._replace(verdict="reject", note="")), ("cleo", FAST)]:
        repo.git("checkout", "-q", "-b", person, "main")
        repo.write(str(place.file(person)), picks_text([line]))
        repo.commit()
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-edit", "ben")
    repo.git("merge", "-q", "--no-edit", "cleo")
    problems = Problems()

    picks = load_picks(Folder(tmp_path), place, problems)

    assert problems.all == ()
    assert sorted(picks.people) == ["anna", "ben", "cleo"]
    assert (picks.state(RAIN.clip), picks.state(FAST.clip)) == ("contested", "rejected")


def test_the_mistakes_of_all_people_are_told_at_once(tmp_path: Path) -> None:
    for person in ("anna", "ben"):
        (tmp_path / f"a.picks.{person}.yaml").write_text(HEAD)
    (tmp_path / "a.picks.cleo.yaml").write_text(EXAMPLE)
    problems = Problems()

    picks = load_picks(
        Folder(tmp_path), PicksFolder.of(PurePosixPath("a.yaml"), simulated=False), problems
    )

    assert [(Path(p.place.path).name, p.code) for p in problems.all] == [
        ("a.picks.anna.yaml", "type"),
        ("a.picks.ben.yaml", "type"),
    ]
    assert list(picks.people) == ["cleo"]


def picks_of(**people: tuple[str, ...]) -> Picks:
    """Picks by person: a clip each letter, `a` picked and `A` rejected."""
    return Picks(
        {
            name: tuple(
                Decision(one, one.lower() * 10, "reject" if one.isupper() else "pick")
                for one in words
            )
            for name, words in people.items()
        }
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(picks_of(anna=("a",)), picks_of(anna=("a",)), None, id="the same"),
        pytest.param(
            picks_of(),
            picks_of(anna=("a", "b"), ben=("C",)),
            "picks: 0 → 2 picked, 0 → 1 rejected (anna, ben)",
            id="the first",
        ),
        pytest.param(
            picks_of(anna=("a",), ben=("b",)),
            picks_of(anna=("a",), ben=("A",)),
            "picks: 2 → 0 picked, 0 → 1 contested (ben)",
            id="contested",
        ),
        pytest.param(
            picks_of(anna=("a",)),
            picks_of(anna=("b",)),
            "picks: other notes or clips (anna)",
            id="another clip",
        ),
    ],
)
def test_how_decisions_differ_is_told_as_counts_with_the_names(
    old: Picks, new: Picks, told: str | None
) -> None:
    assert picks_change(old, new) == told


def test_what_is_left_to_decide_is_told_in_a_few_words() -> None:
    stale = Picks({"anna": (Decision(OLD.address, OLD.clip, "pick"),)})
    decided = Picks({"anna": (Decision(TOKYO.address, TOKYO.clip, "pick"),)})

    assert open_decisions(review([TOKYO, CLOSING, OLD], stale)) == (
        "2 shots without a pick, 1 stale"
    )
    assert open_decisions(review([TOKYO, PARIS], decided)) is None
