"""A study goes through a file whole, to any store; and nothing else comes out of one."""

import hashlib
import io
import json
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rotlab.execution.bundle import FORMAT, Manifest, Weights, check_place
from rotlab.execution.decision_book import decision_files
from rotlab.execution.pack import Member, members, of_bytes, pack
from rotlab.execution.placing import Placed, place
from rotlab.execution.record import Record
from rotlab.execution.store import Store, StoreError, checksums
from rotlab.execution.study import next_revision
from rotlab.execution.unpack import Bundle, BundleError, unpack
from rotlab.planning.plan import Plan
from rotlab.planning.stage import Resources, Stage
from rotlab.tracking.journal import Journal
from rotnet.errors import UserError
from tests.rotlab.execution.bowls import make_searching_job
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage
from tests.rotlab.execution.test_conduct import make_record

FIRST = make_stage("count", name="first")
TUNED = make_stage("count", {"init": FIRST}, name="tuned")
SCORES = make_stage("total", {"x": TUNED}, name="scores")
PLAN = make_plan([FIRST, TUNED, SCORES])
Names = set[str]


def add(store: Store, stage: Stage, *names: str, attempt: str | None = None) -> Record:
    folder = store.new_attempt(stage, attempt)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"{name} of {stage.key}")
    record = replace(
        make_record(stage), attempt=folder.name, files=checksums(folder), inputs=dict(stage.inputs)
    )
    if (folder / "checkpoint.pt").exists():
        digest = hashlib.sha256((folder / "checkpoint.pt").read_bytes()).hexdigest()
        record = replace(record, state={"sha256": digest, "inputs": {}})
    return store.commit(stage, folder, record)


def ask(store: Store, plan: Plan) -> None:
    resources = dict.fromkeys(KINDS, Resources())
    store.save_study(next_revision(store.study(plan.name), plan, "name: lab\n", resources))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A study of two networks, one that goes on from the other, and scores."""
    store = Store(tmp_path / "store")
    ask(store, PLAN)
    add(store, FIRST, "network.pt", "checkpoint.pt", "history.json")
    add(store, TUNED, "network.pt", "deep/history.json")
    add(store, SCORES, "scores.npz")
    journal = Journal(store.journal_path("lab"))
    journal.append({"event": "study_started", "time": 1.0})
    journal.close()
    return store


def export(
    store: Store, path: Path, weights: Weights = "results", spoil: Callable[..., object] = list
) -> Path:
    """Write the study into a file; `spoil` may change its members."""
    content: list[Member] = list(members(store, PLAN, store.records(PLAN.stages.values()), weights))
    manifest = Manifest("lab", weights, "now", {}, {one.name: one.sealed for one in content})
    spoil(content)
    pack(path, manifest, content)
    return path


def read(path: Path) -> Bundle:
    folder = path.with_name(f"read-{len(list(path.parent.iterdir()))}")
    folder.mkdir()
    return unpack(path, folder)


def bring(path: Path, store: Store) -> Placed:
    store.root.mkdir(exist_ok=True)
    return place(read(path), store)


def files_of(store: Store, stage: Stage) -> Names:
    record = store.record(stage.key, stage.kind)
    assert record is not None
    folder = store.result_place(record)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tgz"])
def test_a_study_goes_through_a_file_to_another_store(
    store: Store, tmp_path: Path, ending: str
) -> None:
    path = export(store, tmp_path / f"lab.{ending}", "all")
    other = Store(tmp_path / "other")
    placed = bring(path, other)
    assert set(placed.added) == set(PLAN.stages)
    assert other.study("lab") == store.study("lab")
    assert other.records(PLAN.stages.values()) == store.records(PLAN.stages.values())
    for stage in PLAN.stages.values():
        assert files_of(other, stage) == files_of(store, stage)
    for record in other.records(PLAN.stages.values()).values():
        folder = other.result_folder(record)
        assert checksums(folder) == record.files
    assert Journal(other.journal_path("lab")).read() == Journal(store.journal_path("lab")).read()


@pytest.mark.parametrize(
    ("weights", "first", "tuned"),
    [
        ("none", {"history.json", "partial.txt"}, {"deep/history.json", "partial.txt"}),
        ("results", {"history.json", "partial.txt"}, {"deep/history.json", "network.pt"}),
        (
            "all",
            {"history.json", "network.pt", "checkpoint.pt"},
            {"deep/history.json", "network.pt"},
        ),
    ],
)
def test_networks_go_along_as_chosen(
    store: Store, tmp_path: Path, weights: Weights, first: Names, tuned: Names
) -> None:
    other = Store(tmp_path / "other")
    bring(export(store, tmp_path / "lab.tar", weights), other)
    assert (files_of(other, FIRST), files_of(other, TUNED)) == (first, tuned)
    assert files_of(other, SCORES) == {"scores.npz"}


def test_a_network_that_was_left_out_is_said_and_can_be_brought_later(
    store: Store, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other")
    bring(export(store, tmp_path / "none.tar", "none"), other)
    record = other.record(TUNED.key, TUNED.kind)
    assert record is not None
    with pytest.raises(StoreError, match=r"network\.pt: was left out when .* rotlab invalidate"):
        other.result_folder(record)
    placed = bring(export(store, tmp_path / "all.tar", "all"), other)
    assert set(placed.filled) == {FIRST.key, TUNED.key}
    other.result_folder(record)
    assert files_of(other, FIRST) == files_of(store, FIRST)
    assert bring(tmp_path / "all.tar", other).same == tuple(PLAN.stages)


def test_a_result_that_is_there_is_never_overwritten(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    other = Store(tmp_path / "other")
    own = add(other, TUNED, "own.pt", attempt="own")
    placed = bring(path, other)
    assert placed.other == (TUNED.key,)
    assert other.record(TUNED.key, TUNED.kind) == own
    assert files_of(other, TUNED) == {"own.pt"}


def test_a_result_that_was_withdrawn_here_stays_withdrawn(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    record = store.record(TUNED.key, TUNED.kind)
    assert record is not None
    store.set_aside(record, "a bad disk")
    assert bring(path, store).withdrawn == (TUNED.key,)
    assert store.record(TUNED.key, TUNED.kind) is None


def test_what_was_made_from_a_result_that_is_left_out_is_left_out(
    store: Store, tmp_path: Path
) -> None:
    path = export(store, tmp_path / "lab.tar")
    for stage in (TUNED, SCORES):
        record = store.record(stage.key, stage.kind)
        assert record is not None
        store.set_aside(record, "a bad disk")
    other = Store(tmp_path / "other")
    own = add(other, TUNED, "own.pt", attempt="own")
    other.set_aside(own, "of no use")
    add(other, TUNED, "better.pt", attempt="better")
    placed = bring(path, other)
    assert (placed.other, placed.orphaned) == ((TUNED.key,), (SCORES.key,))
    assert other.record(SCORES.key, SCORES.kind) is None


def test_what_searches_decided_goes_along_and_what_was_decided_first_stays(tmp_path: Path) -> None:
    job = make_searching_job(tmp_path / "searched")
    assert job.searches is not None
    plan = job.searches.catch_up(lambda _: {})  # the first proposals
    ask(job.store, plan)
    content = list(members(job.store, plan, {}, "results"))
    manifest = Manifest(plan.name, "results", "now", {}, {one.name: one.sealed for one in content})
    path = tmp_path / "searched.tar"
    pack(path, manifest, content)
    decided = decision_files(job.store.root, plan)
    assert decided
    other = Store(tmp_path / "other")
    first = other.root / decided[0].relative_to(job.store.root)
    first.parent.mkdir(parents=True)
    first.write_text("{}")
    bring(path, other)
    for one in decided[1:]:
        assert json.loads((other.root / one.relative_to(job.store.root)).read_text()) == json.loads(
            one.read_text()
        )
    assert first.read_text() == "{}"


def test_another_study_of_the_name_is_refused_and_a_longer_one_is_not(
    store: Store, tmp_path: Path
) -> None:
    path = export(store, tmp_path / "lab.tar")
    other = Store(tmp_path / "other")
    ask(other, make_plan([FIRST]))
    with pytest.raises(StoreError, match="its revision 1 differs from that in the file"):
        bring(path, other)
    assert other.records(PLAN.stages.values()) == {}
    ask(store, make_plan([FIRST]))
    assert len(bring(path, store).same) == 3
    study = store.study("lab")
    assert study is not None
    assert study.revision == 2


def test_journals_are_kept_beside_one_that_differs(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    other = Store(tmp_path / "other")
    for number in (2, 3):
        journal = Journal(store.journal_path("lab"))
        journal.append({"event": "study_ended", "time": float(number), "state": "KILLED"})
        journal.close()
        bring(path, store)
    assert len(store.journals("lab")) == 1
    journal = Journal(other.journal_path("lab"))
    journal.append({"event": "study_started", "time": 7.0})
    journal.close()
    bring(path, other)
    bring(path, other)
    assert [len(Journal(one).read()) for one in other.journals("lab")] == [1, 1]


def test_an_event_comes_through_several_files_once(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    for number in range(3):
        bring(export(store, tmp_path / f"{number}.tar"), other)
        for one in (store, other):
            journal = Journal(one.journal_path("lab"))
            journal.append({"event": "study_ended", "time": 2.0 + number, "store": one.root.name})
            journal.close()
        bring(export(other, tmp_path / f"back-{number}.tar"), store)
    for one in (store, other):
        events = [
            json.dumps(event) for path in one.journals("lab") for event in Journal(path).read()
        ]
        assert len(events) == len(set(events))
    assert len(events) >= 6


def test_a_study_that_is_being_run_is_not_imported_to(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    with store.driving("lab", "run"), pytest.raises(StoreError, match="is being run by process"):
        bring(path, store)


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_a_flipped_bit_anywhere_is_found_and_the_file_named(
    store: Store, tmp_path: Path, ending: str
) -> None:
    path = export(store, tmp_path / f"lab.{ending}", "all")
    whole = path.read_bytes()
    said = []
    for offset in range(0, len(whole), max(1, len(whole) // 60)):
        torn = bytearray(whole)
        torn[offset] ^= 0x10
        path.write_bytes(torn)
        try:
            bundle = read(path)
        except BundleError as error:
            said.append(str(error))
        else:  # a bit of padding, or of an owner's name
            assert bundle.records == store.records(PLAN.stages.values())
    assert len(said) > 10
    assert all(str(path) in one and "\n" not in one for one in said)


def test_a_file_that_is_cut_off_is_found(store: Store, tmp_path: Path) -> None:
    for ending in ("tar", "tar.gz"):
        path = export(store, tmp_path / f"lab.{ending}", "all")
        whole = path.read_bytes()
        for part in (0.0, 0.3, 0.7):
            path.write_bytes(whole[: int(part * len(whole))])
            with pytest.raises(BundleError, match="not a whole file of `rotlab export`"):
                read(path)
    with pytest.raises(BundleError, match="no such file"):
        unpack(tmp_path / "none.tar", tmp_path)


def test_a_newer_format_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotlab.execution.bundle.FORMAT", FORMAT + 1)
    path = export(store, tmp_path / "lab.tar")
    monkeypatch.undo()
    with pytest.raises(BundleError, match=rf"lab\.tar: .* newer format than {FORMAT}"):
        read(path)


def rewrite(
    path: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]
) -> None:
    """Write an archive anew, with changed members."""
    with tarfile.open(path) as archive:
        old = [(one, (archive.extractfile(one) or io.BytesIO()).read()) for one in archive]
    with tarfile.open(path, "w") as archive:
        for info, text in old:
            changed, content = change(info, text)
            archive.addfile(changed, io.BytesIO(content))


def test_a_link_is_not_followed(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")

    def link(info: tarfile.TarInfo, text: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name.endswith("scores.npz"):
            info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0
            return info, b""
        return info, text

    rewrite(path, link)
    with pytest.raises(BundleError, match="is a link, a folder or a device"):
        read(path)


def test_a_member_that_is_not_in_the_manifest_is_refused(store: Store, tmp_path: Path) -> None:
    def more(content: list[Member]) -> None:
        content.append(of_bytes("results/../../evil", b"evil"))

    path = export(store, tmp_path / "lab.tar", spoil=more)
    with pytest.raises(BundleError, match="is not in the manifest"):
        read(path)
    path.unlink()
    with pytest.raises(BundleError, match="is missing"):
        read(export(store, path, spoil=lambda content: content.pop()))


@pytest.mark.parametrize(
    "name",
    [
        "results/count/ab/../../../evil",
        "/etc/passwd",
        "results/count/ab/",
        "results/count//ab/x",
        "results/../ab/x",
        "results/count/ab/./x",
        "results\\count\\ab\\x",
        "studies/0.json",
        "elsewhere",
    ],
)
def test_a_name_outside_of_the_layout_has_no_place(name: str) -> None:
    with pytest.raises(ValueError, match="has no place in a study"):
        check_place(name)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("attempt", "../../evil", "names the attempt '../../evil'"),
        ("kind", "studies", "is of another stage"),
        ("files", {"../evil": "0"}, "has no place in a study"),
    ],
)
def test_a_record_that_points_outside_is_refused(
    store: Store, tmp_path: Path, field: str, value: object, said: str
) -> None:
    content = list(members(store, PLAN, store.records(PLAN.stages.values()), "none"))
    number = next(i for i, one in enumerate(content) if one.name.endswith(f"{SCORES.key}.json"))
    source = content[number].source
    assert isinstance(source, bytes)
    content[number] = of_bytes(
        content[number].name, json.dumps({**json.loads(source), field: value}).encode()
    )
    content = [one for one in content if not one.name.startswith("results/total")]
    manifest = Manifest("lab", "none", "now", {}, {one.name: one.sealed for one in content})
    pack(tmp_path / "lab.tar", manifest, content)
    with pytest.raises(BundleError, match=said.replace(".", r"\.")):
        read(tmp_path / "lab.tar")


def test_a_damaged_result_is_not_exported(store: Store, tmp_path: Path) -> None:
    record = store.record(TUNED.key, TUNED.kind)
    assert record is not None
    (store.result_folder(record) / "network.pt").write_text(f"network.pt of {TUNED.key[:-1]}!")
    with pytest.raises(StoreError, match=r"network\.pt: damaged: .*rotlab invalidate"):
        export(store, tmp_path / "lab.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_file_that_exists_or_has_another_ending_is_refused(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    with pytest.raises(UserError, match="exists; give another name"):
        export(store, path)
    with pytest.raises(UserError, match=r"must end in \.tar, \.tar\.gz, \.tgz"):
        export(store, tmp_path / "lab.zip")


def test_an_import_that_was_killed_is_ended_by_the_next(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = export(store, tmp_path / "lab.tar"), Store(tmp_path / "other")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rotlab.execution.placing.create_json", die)
        with pytest.raises(KeyboardInterrupt):
            bring(path, other)
    assert (other.studies(), other.records(PLAN.stages.values())) == ([], {})
    assert set(bring(path, other).added) == set(PLAN.stages)
    left = [path for path in other.root.rglob(".*") if path.name != ".clearing.lock"]
    assert left == []


def test_a_large_file_is_not_held_in_memory(store: Store, tmp_path: Path) -> None:
    record = store.record(FIRST.key, FIRST.kind)
    assert record is not None
    large = store.result_folder(record) / "network.pt"
    os.truncate(large, 50_000_000)
    with large.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    home = store.home(FIRST.key, FIRST.kind) / "record.json"
    values = json.loads(home.read_text())
    values["files"]["network.pt"] = digest
    home.write_text(json.dumps(values))
    tracemalloc.start()
    bring(export(store, tmp_path / "lab.tar", "all"), Store(tmp_path / "other"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
