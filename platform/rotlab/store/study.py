"""A study as the store keeps it: enough of one revision to go on without its file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial import FORMAT, plan_from_json, plan_to_json
from rotlab.planning.stage import Resources, StageKind
from rotnet.errors import UserError

_GROWING = ("tunings", "families")  # what a plan holds that grows while it runs


@dataclass(frozen=True, slots=True)
class SavedStudy:
    """One revision of a study: it changes only when the content of its plan does.

    Args:
        name: of the study.
        revision: counted from 1.
        question: what the study was made to answer; the same in all revisions.
        text: the search-space file.
        resources: kind -> what its stages occupy.
        plan: as `plan_to_json` gives it.
    """

    name: str
    revision: int
    question: str
    text: str
    resources: Mapping[str, Resources]
    plan: Mapping[str, Any]

    def asks_what(self, other: "SavedStudy") -> bool:
        """Say whether two revisions are of one plan, or of one that grows by its own decisions."""
        if any(name in self.plan and name in other.plan for name in _GROWING):
            return (self.text, self.resources) == (other.text, other.resources)
        return self == other

    def load_plan(self, kinds: Mapping[str, StageKind]) -> Plan:
        """Return the plan of this revision."""
        return plan_from_json(self.plan, kinds)


def next_revision(
    last: SavedStudy | None, plan: Plan, text: str, resources: Mapping[str, Resources]
) -> SavedStudy:
    """Return the last revision where the plan is still its plan, else one more.

    Raises:
        UserError: if the study was made for another question.
    """
    made = SavedStudy(plan.name, 1, plan.question, text, dict(resources), plan_to_json(plan))
    if last is None:
        return made
    if last.question != made.question:
        raise UserError(
            f"study {plan.name!r} in this store answers {last.question!r}, but the file asks "
            f"{made.question!r}, which is another question; change its name, or --store"
        )
    if last.plan == made.plan and last.resources == made.resources:
        return last
    return replace(made, revision=last.revision + 1)


def study_to_json(study: SavedStudy) -> dict[str, Any]:
    """Return the revision as plain values."""
    return {
        "name": study.name,
        "revision": study.revision,
        "question": study.question,
        "text": study.text,
        "resources": {
            kind: {
                "cpus": each.cpus,
                "gpus": each.gpus,
                **({"processes": each.processes} if each.processes > 1 else {}),
                **({"measured": True} if each.measured else {}),
            }
            for kind, each in study.resources.items()
        },
        "plan": dict(study.plan),
    }


def study_from_json(values: Mapping[str, Any]) -> SavedStudy:
    """Return the revision that `study_to_json` wrote.

    Raises:
        ValueError: if a field is missing.
        UserError: if a newer version of this program wrote it.
    """
    try:
        written = values["plan"].get("format", FORMAT)
        if written > FORMAT:
            raise UserError(
                f"study {values['name']!r} was written by a newer version of rotlab (format "
                f"{written}, known here is {FORMAT}): update rotlab, or give --store another place"
            )
        return SavedStudy(
            values["name"],
            values["revision"],
            values["question"],
            values["text"],
            {kind: Resources(**each) for kind, each in values["resources"].items()},
            values["plan"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the fields of a study: {error}") from error
