"""What is found to be left over is needed by nobody, and all that is so is found."""

import json
import os
import time
from pathlib import Path

import pytest

from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Resources, Stage
from rotlab.store.gate import store_time
from rotlab.store.layout import COUNTING
from rotlab.store.lease import DEAD_S, Lease
from rotlab.store.leftovers import Survey, survey
from rotlab.store.needs import Needs, needs_of
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.store.trunk import KeepStates
from rotnet.errors import UserError
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage
from tests.rotlab.store.put import put

A, B = make_stage("count", name="a"), make_stage("count", name="b")
SHORT, LONG = (make_stage("learn", name="a", epochs=epochs) for epochs in (2, 4))


class Lab:
    """A store with a study of two counts, of which nothing has run."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ask(make_plan([A, B]))

    def ask(self, plan: Plan) -> None:
        resources = dict.fromkeys(KINDS, Resources())
        self.store.save_study(next_revision(self.store.study(plan.name), plan, "", resources))

    def do(self, stage: Stage, *others: Stage, keep: KeepStates = "kind") -> Record:
        plan = make_plan([stage, *others])
        cpus = dict.fromkeys(KINDS, 1)
        root = self.store.root
        work = Work(plan.stages, KINDS, {}, root, cpus, continues=plan.continues, keep_states=keep)
        return perform(stage.key, work, Unwatched())

    def needs(self, but: str | None = None) -> Needs:
        return needs_of(self.store, KINDS, but)

    def look(
        self,
        keep_s: float = 0.0,
        study: str | None = None,
        drop: str | None = None,
        later_s: float = 1.0,
    ) -> Survey:
        now = store_time(self.store.root) + later_s
        return survey(self.store, self.needs(drop), now, keep_s, study, drop)

    def sorts(self, study: str | None = None, drop: str | None = None) -> list[tuple[str, str]]:
        """Class and file name of what is found."""
        found = self.look(study=study, drop=drop).leftovers
        return [(one.sort, one.path.name) for one in found]


@pytest.fixture
def lab(place: str) -> Lab:
    return Lab(Store.open(place))


@pytest.fixture
def folder_lab(tmp_path: Path) -> Lab:
    return Lab(Store(tmp_path / "store"))


def test_of_a_study_that_is_done_nothing_is_left_over(lab: Lab) -> None:
    for stage in (A, B):
        lab.do(stage)
    assert lab.look() == Survey((), (), frozenset(), ())


def test_attempts_at_a_finished_stage_are_left_over_its_result_is_not(lab: Lab) -> None:
    record = lab.do(A)
    put(lab.store.attempts(A.key, A.kind) / "other" / "checkpoint.pt", "12345")
    put(lab.store.result_folder(record) / "network.pt.part", "1")
    found = lab.look().leftovers
    assert [(one.sort, one.path.name, one.size) for one in found] == [
        ("attempts", "other", 5),
        ("temporary", "network.pt.part", 1),
    ]


def test_of_an_unfinished_stage_the_attempt_that_the_next_goes_on_from_stays(
    folder_lab: Lab,
) -> None:
    lab = folder_lab
    for number, age in (("1", 100), ("2", 0), ("3", 50)):
        state = lab.store.new_attempt(A, number) / "state.json"
        state.write_text(number)
        os.utime(state, (time.time() - age, time.time() - age))
    (lab.store.attempts(A.key, A.kind) / ".4").mkdir()
    assert lab.sorts() == [("temporary", ".4"), ("attempts", "1"), ("attempts", "3")]
    assert (lab.store.new_attempt(A) / "state.json").read_text() == "2"


def test_what_no_last_revision_asks_for_is_left_over_as_a_whole(lab: Lab) -> None:
    lab.do(A)
    lab.do(B)
    lab.ask(make_plan([A]))
    assert lab.sorts() == [("unasked", B.key)]
    lab.ask(make_plan([B], name="other"))
    assert lab.sorts() == []


def test_a_study_to_be_dropped_takes_what_only_it_asks_for(lab: Lab) -> None:
    lab.do(A)
    lab.do(B)
    lab.ask(make_plan([B], name="other"))
    assert lab.sorts(drop="lab") == [("unasked", A.key), ("studies", "lab")]
    assert lab.sorts(study="lab") == []


def test_withdrawn_results_leave_files_and_logs_and_their_reasons_stay(lab: Lab) -> None:
    record = lab.do(A)
    log = lab.store.log_path(A, record.attempt)
    put(log, "said")
    lab.store.set_aside(record, "a bad disk")
    assert sorted(lab.sorts()) == [("invalid", record.attempt), ("logs", log.name)]


def test_a_training_state_is_left_over_once_no_longer_training_waits_for_it(lab: Lab) -> None:
    lab.ask(make_plan([SHORT, LONG]))
    lab.do(SHORT, LONG)
    assert lab.sorts() == []
    lab.do(LONG, SHORT, keep="all")
    assert lab.sorts() == [("states", "checkpoint.pt")] * 2


def test_a_study_whose_plan_cannot_be_read_keeps_its_training_states(lab: Lab) -> None:
    lab.ask(make_plan([SHORT]))
    lab.do(SHORT, keep="all")
    assert lab.sorts() == [("states", "checkpoint.pt")]
    needs = needs_of(lab.store, {})
    assert list(needs.unread) == ["lab"]
    assert survey(lab.store, needs, time.time() + 1, 0.0).leftovers == ()


def test_nothing_is_found_in_stages_at_work_or_of_a_study_that_is_run(lab: Lab) -> None:
    for stage in (A, B):
        lab.do(stage)
        put(lab.store.attempts(stage.key, stage.kind) / "other" / "state.json")
    assert len(lab.sorts()) == 2
    with Lease(lab.store.lease_path(A), "1", None, lambda: True):
        found = lab.look()
        assert [one.stage for one in found.leftovers] == [("count", B.key)]
        assert found.busy == {("count", A.key)}
    with lab.store.driving("lab", "run"):
        assert lab.look().leftovers == ()
        assert len(lab.look().busy) == 2
    put(lab.store.lease_path(A), '{"host": "elsewhere", "process": 1}')
    assert len(lab.sorts()) == 1
    assert len(lab.look(later_s=DEAD_S).leftovers) == 2


def test_what_changed_not_long_ago_is_counted_and_left(lab: Lab) -> None:
    lab.do(A)
    lab.ask(make_plan([B]))
    found = lab.look(keep_s=100)
    assert found.leftovers == ()
    assert [one.path.name for one in found.young] == [A.key]


def test_what_is_not_the_stores_is_not_looked_at(lab: Lab) -> None:
    for name in ("artifacts/lab", "mlruns/0", "count/notes", "notes/0123456789abcdef0123"):
        put(lab.store.root / name / "mine.txt", "mine")
    assert lab.sorts() == []


def test_what_killed_writers_left_is_temporary(lab: Lab) -> None:
    study = lab.store.study_folder("lab")
    names = [study / "stop-1", study / ".2-ab.tmp", study / "journal.sent.12"]
    names += [lab.store.lease_path(A).parent / ".lease-1"]
    names += [lab.store.root / ".trash-1" / "0"]
    for path in names:
        put(path)
    assert {sort for sort, _ in lab.sorts()} == {"temporary"}
    assert len(lab.sorts()) == 5


def test_a_study_that_cannot_be_read_stops_all(lab: Lab) -> None:
    put(lab.store.study_folder("lab") / "2.json", "{")
    with pytest.raises(UserError, match=r"2\.json: cannot be read"):
        lab.look()


def test_an_unreadable_record_is_named_and_its_stage_left(lab: Lab) -> None:
    lab.do(A)
    put(lab.store.home(A.key, A.kind) / "record.json", "{")
    found = lab.look()
    assert found.leftovers == ()
    assert "record.json: cannot be read" in found.unread[0]


@pytest.mark.parametrize("place", ["s3", "gs"], indirect=True)
def test_of_what_a_bucket_has_for_going_on_the_newest_state_alone_stays(lab: Lab) -> None:
    home = lab.store.home(A.key, A.kind)
    state = {"attempt": "1", "number": "1", "time": 1.0, "files": {"state.json": "ab12"}}
    for name in ("1/ab12", "1/older", "0/older"):
        put(home / "state" / name)
    put(home / "state.json", json.dumps(state))
    put(home / "attempts" / "2" / "state.json", "[]")  # half of a result; no record came to be
    assert ("attempts", "2") in lab.sorts()
    assert [one for one in lab.sorts() if one[0] == "temporary"] == [("temporary", "older")] * 2
    lab.do(A)
    assert lab.sorts() == []


@pytest.mark.parametrize("place", ["s3", "gs"], indirect=True)
def test_who_counted_on_results_and_was_lost_leaves_a_sign_that_goes(lab: Lab) -> None:
    put(lab.store.root / COUNTING / "1", '{"host": "elsewhere", "process": 1, "beat": 1}')
    assert lab.sorts() == []
    assert [one.sort for one in lab.look(later_s=DEAD_S + 1).leftovers] == ["temporary"]
