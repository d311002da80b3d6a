"""What searches decided by results that count no more is set aside, and decided anew."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.planning.plan.decisions import Ended, Proposal, Pruned
from rotlab.store.decision_book import DecisionBook
from rotlab.store.files import StoreError
from rotlab.store.overturned import overturned, set_aside
from tests.rotlab.execution.search.bowls import TEXT, make_searching_job, search_to_the_end

Value = Callable[[str], float]
ONE = TEXT.replace("bowl.bend: [0, 1]", "bowl.bend: [0]")


def decisions(store: Path) -> dict[str, str]:
    return {
        path.relative_to(store).as_posix(): path.read_text()
        for path in sorted((store / "searches").glob("*/*.json"))
    }


def search(folder: Path, value: Value) -> dict[str, str]:
    """Search with stages that have these values, by key; return what was decided."""
    folder.mkdir(exist_ok=True)
    job = make_searching_job(folder / "store", ONE)
    searches = job.searches
    assert searches is not None
    searches.catch_up(lambda _: {})
    known: set[str] = set()
    while new := searches.plan.stages.keys() - known:
        for key in new:
            searches.done(key, {"height": value(key)})
        known |= new
        searches.decide()
    return decisions(folder / "store")


def plain(key: str) -> float:
    return int(key[:4], 16) / 0xFFFF


def results_of(found: dict[str, str], number: int) -> list[str]:
    (text,) = (text for name, text in found.items() if name.endswith(f"/{number}-value.json"))
    return list(json.loads(text)["results"])


def overturn(store: Path, *keys: str) -> None:
    for one in overturned(store, keys):
        set_aside(one, "a bad disk")


def test_with_equal_results_the_same_is_decided_again(tmp_path: Path) -> None:
    found = search(tmp_path, plain)
    overturn(tmp_path / "store", *results_of(found, 3))
    left = decisions(tmp_path / "store")
    names = {Path(name).name for name in left}
    assert names == {"1.json", "1-value.json", "2.json", "2-value.json", "3.json"}
    assert search(tmp_path, plain) == found


def test_with_another_result_what_is_decided_is_as_if_it_had_been_so_from_the_start(
    tmp_path: Path,
) -> None:
    (withdrawn,) = results_of(search(tmp_path / "a", lambda _: 0.0), 3)

    def right(key: str) -> float:
        return 1.0 if key == withdrawn else plain(key)

    wrong = search(tmp_path / "b", plain)
    overturn(tmp_path / "b" / "store", withdrawn)
    after, never_wrong = search(tmp_path / "b", right), search(tmp_path / "c", right)
    assert after == never_wrong != wrong


def test_it_is_kept_with_the_reason(tmp_path: Path) -> None:
    found = search(tmp_path, plain)
    keys = results_of(found, 3)
    overturn(tmp_path / "store", *keys)
    (because,) = (tmp_path / "store" / "searches").glob("*/invalid/*/because.json")
    note = json.loads(because.read_text())
    assert (note["because"], note["results"]) == ("a bad disk", keys)
    kept = {path.name: path.read_text() for path in because.parent.iterdir() if path != because}
    gone = found.keys() - decisions(tmp_path / "store").keys()
    assert kept == {Path(name).name: found[name] for name in gone}


def test_a_search_that_stands_on_other_results_stays(tmp_path: Path) -> None:
    found = search(tmp_path, plain)
    overturn(tmp_path / "store", "f" * 64)
    assert decisions(tmp_path / "store") == found


def test_cut_short_anywhere_it_is_found_again_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = search(tmp_path, plain)
    store, keys = tmp_path / "store", results_of(found, 3)
    (one,) = overturned(store, keys)
    rename = Path.rename
    for number, path in enumerate(one.files):

        def once(source: Path, target: Path, *, last: Path = path) -> Path:
            if source != last:
                raise KeyboardInterrupt
            return rename(source, target)

        (left,) = overturned(store, keys)
        assert left.files == one.files[number:]
        with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
            patched.setattr(Path, "rename", once)
            set_aside(left, "a bad disk")
    assert overturned(store, keys) == []
    assert search(tmp_path, plain) == found


def test_a_decision_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    found = search(tmp_path, plain)
    name = next(name for name in found if name.endswith("/2-value.json"))
    path = tmp_path / "store" / name
    for text in ("{", '{"format": 1, "number": 2}'):
        path.write_text(text)
        with pytest.raises(StoreError, match=f"{path}: cannot be read"):
            overturned(tmp_path / "store", ["a"])


def test_what_ended_well_is_not_run_again_to_decide_anew(tmp_path: Path) -> None:
    store = tmp_path / "store"
    search_to_the_end(store, ONE)
    found = decisions(store)
    before = {path: path.read_bytes() for path in store.glob("bowl/*/record.json")}
    overturn(store, *results_of(found, 1))
    assert decisions(store) != found
    search_to_the_end(store, ONE)
    assert decisions(store) == found
    assert {path: path.read_bytes() for path in store.glob("bowl/*/record.json")} == before


def stop(number: int, key: str, *beside: str) -> Pruned:
    return Pruned("s", number, key, "asha", 3, 3, 0.5, {3: 0.5}, dict.fromkeys(beside, 0.7))


@pytest.mark.parametrize("gone", ["slow", "rival"])
def test_a_stop_that_stood_on_what_is_gone_goes_with_all_that_followed(
    tmp_path: Path, gone: str
) -> None:
    """Whether the stage that was stopped is gone, or one that it was compared with."""
    book = DecisionBook(tmp_path)
    for number in (1, 2, 3):
        book.keep_proposal(Proposal("s", number, {"rate": number}))
        book.keep_end(Ended("s", number, 0.5, (f"r{number}",), pruned=number == 2))
    book.keep_pruned(stop(2, "slow", "rival"))
    book.keep_pruned(stop(3, "later", "other"))
    (one,) = overturned(tmp_path, [gone])
    assert (one.first, one.results) == (2, (gone,))
    assert one.files[-1].name == "pruned-slow.json"  # cut short before, it is found again
    set_aside(one, "a bad disk")
    left = {path.name for path in (tmp_path / "searches" / "s").glob("*.json")}
    assert left == {"1.json", "1-value.json", "2.json"}
    assert not overturned(tmp_path, [gone])


def test_a_stop_that_stood_on_other_results_stays(tmp_path: Path) -> None:
    book = DecisionBook(tmp_path)
    book.keep_proposal(Proposal("s", 1, {"rate": 1}))
    book.keep_pruned(stop(1, "slow", "rival"))
    assert not overturned(tmp_path, ["another"])
