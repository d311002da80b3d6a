"""Revisions of a study."""

import json
from dataclasses import replace

import pytest

from rotlab.planning.stage import Resources
from rotlab.store.study import next_revision, study_from_json, study_to_json
from rotnet.errors import UserError
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage

PLAN = make_plan([make_stage("count", name="a")])
LARGER = make_plan([make_stage("count", name="a"), make_stage("count", name="b")])
RESOURCES = {"count": Resources(1, 0.5)}


def test_a_revision_is_made_only_when_the_plan_changes() -> None:
    first = next_revision(None, PLAN, "text", RESOURCES)
    assert first.revision == 1
    assert next_revision(first, PLAN, "text with a comment", RESOURCES) is first
    assert next_revision(first, LARGER, "text", RESOURCES).revision == 2


def test_a_revision_survives_json_with_its_plan() -> None:
    several = {"count": Resources(4, 2.0, 2), "total": Resources(measured=True)}
    study = next_revision(None, LARGER, "text", several)
    read = study_from_json(json.loads(json.dumps(study_to_json(study))))
    assert read == study
    assert next_revision(read, LARGER, "text", several) is read
    assert read.load_plan(KINDS).stages == LARGER.stages


def test_another_question_under_the_same_name_is_refused() -> None:
    first = next_revision(None, PLAN, "text", RESOURCES)
    with pytest.raises(UserError, match="another question"):
        next_revision(first, replace(PLAN, question="Else?"), "text", RESOURCES)


def test_a_study_of_a_newer_version_is_refused() -> None:
    made = next_revision(None, make_plan([make_stage("count", name="a")]), "text", {})
    values = study_to_json(made)
    values["plan"] = {**values["plan"], "format": 2}
    with pytest.raises(UserError, match=r"a newer version of rotlab \(format 2, known here is 1\)"):
        study_from_json(values)
