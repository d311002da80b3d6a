"""Where a store keeps what searches and looks decide, each decision once and for all.

searches/<key>/<number>.json      a proposal
searches/<key>/<number>-value.json  how it ended, from when that was first made use of
searches/<key>/pruned-<stage>.json  that a stage is stopped, and by what; its worker looks for it
searches/<key>/winner-<n>.json    the best of the first n
searches/<key>/winner-<n>-within-<w>.json  likewise where it may be up to w worse by the metric
looks/<key>/<number>.json         a look at a family, with all that it decided by
searches/<key>/invalid/<id>/...   what counts no more; see `rotlab.store.overturned`
"""

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from rotlab.planning.plan.decisions import Decisions, Ended, Proposal, Pruned, Tuning, Winner
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial_looks import look_from_json, look_to_json
from rotlab.planning.plan.serial_searches import (
    ended_from_json,
    ended_to_json,
    proposal_from_json,
    proposal_to_json,
    pruned_from_json,
    pruned_to_json,
    winner_from_json,
    winner_to_json,
)
from rotlab.planning.space.allowance import Hours
from rotlab.planning.space.looks import Family, Look
from rotlab.store.carrying import bring
from rotlab.store.files import create_json, read_copy, read_text
from rotlab.store.replica import told
from rotnet.errors import UserError

FORMAT = 1
Decision = TypeVar("Decision", Proposal, Ended, Pruned, Winner, Look)


def decision_files(root: Path, plan: Plan) -> list[Path]:
    """Return the files of all that was decided of a plan's searches and looks.

    Args:
        root: of the store.
        plan: that asks for them.
    """
    return sorted(path for one in _folders(root, plan) for path in one.glob("[!.]*.json"))


def bring_decisions(root: Path, plan: Plan) -> None:
    """Have here what a bucket holds of them; see `rotlab.store.carrying`.

    Args:
        root: of the store.
        plan: that asks for them.
    """
    for folder in _folders(root, plan):
        bring(folder)


class DecisionBook:
    """Decisions of searches and looks; the first to write one has decided, whoever runs beside.

    Args:
        root: of the store.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "searches"
        self._looks = root / "looks"

    def read(
        self, tunings: Mapping[str, Tuning], families: Mapping[str, Family] | None = None
    ) -> Decisions:
        """Return what was decided: of searches as many proposals as each is to try, and looks.

        Raises:
            UserError: a decision cannot be read.
        """
        proposals, winners = {}, {}
        values: dict[str, dict[int, float | None]] = {}
        pruned: dict[str, frozenset[int]] = {}
        hours: dict[str, dict[int, Hours]] = {}
        others: dict[str, dict[int, tuple[float, ...]]] = {}
        for key, tuning in tunings.items():
            bring(self._root / key)
            found: list[Proposal] = []
            ends: list[Ended] = []
            while len(found) < tuning.proposals:
                number = len(found) + 1
                one = _read(self._root / key / f"{number}.json", proposal_from_json, read_copy)
                if one is None:
                    break
                found.append(one)
                value = self._root / key / f"{number}-value.json"
                ended = _read(value, ended_from_json, read_copy)
                if ended is not None:
                    ends.append(ended)
            others[key] = {one.number: one.others for one in ends if one.value is not None}
            hours[key] = {one.number: one.hours for one in ends if one.hours is not None}
            number = tuning.ends_after(found, hours[key])
            proposals[key] = tuple(found[:number])
            values[key] = {one.number: one.value for one in ends}
            pruned[key] = frozenset(one.number for one in ends if one.pruned)
            path = self._winner_path(key, number, tuning.within)
            winner = _read(path, winner_from_json, read_copy)
            if winner is not None:
                winners[key] = winner
                values[key] = dict(winner.values)
                pruned[key] = frozenset(winner.pruned)
        looks = {key: tuple(self._taken(family)) for key, family in (families or {}).items()}
        return Decisions(proposals, winners, looks, values, pruned, hours, others)

    def keep_proposal(self, proposal: Proposal) -> Proposal:
        """Return the proposal of that number that counts: this one, or one that came first."""
        path = self._root / proposal.tuning / f"{proposal.number}.json"
        return _keep(path, proposal, proposal_to_json, proposal_from_json)

    def keep_end(self, ended: Ended) -> Ended:
        """Return the end of that proposal that counts: this one, or one that came first."""
        path = self._root / ended.tuning / f"{ended.number}-value.json"
        return _keep(path, ended, ended_to_json, ended_from_json)

    def pruned_path(self, tuning: str, key: str) -> Path:
        """Return the file whose presence asks a stage to stop: the decision that it is to."""
        return self._root / tuning / f"pruned-{key}.json"

    def pruned(self, tuning: str, key: str) -> Pruned | None:
        """Return by what a stage of a search is stopped, None where it is not.

        Raises:
            UserError: the decision cannot be read.
        """
        return _read(self.pruned_path(tuning, key), pruned_from_json)

    def keep_pruned(self, pruned: Pruned) -> Pruned:
        """Return the decision about that stage that counts: this one, or one that came first."""
        path = self.pruned_path(pruned.tuning, pruned.key)
        return _keep(path, pruned, pruned_to_json, pruned_from_json)

    def all_pruned(self, tuning: str) -> list[Pruned]:
        """Return all stages of a search that are stopped, by their keys.

        Raises:
            UserError: a decision cannot be read.
        """
        bring(self._root / tuning)
        keys = sorted(
            path.stem.removeprefix("pruned-")
            for path in (self._root / tuning).glob("pruned-*.json")
        )
        found = (self.pruned(tuning, key) for key in keys)
        return [one for one in found if one is not None]

    def ended(self, tuning: str, number: int) -> Ended | None:
        """Return how a proposal has ended, None where that is not decided."""
        return _read(self._root / tuning / f"{number}-value.json", ended_from_json)

    def keep_winner(self, winner: Winner) -> Winner:
        """Return the winner that counts: this one, or one that came first."""
        path = self._winner_path(winner.tuning, winner.proposals, winner.within)
        return _keep(path, winner, winner_to_json, winner_from_json)

    def _winner_path(self, tuning: str, proposals: int, within: float) -> Path:
        """A choice of another kind is another decision, on the same values."""
        kind = f"-within-{within!r}" if within else ""
        return self._root / tuning / f"winner-{proposals}{kind}.json"

    def keep_look(self, look: Look) -> Look:
        """Return the look of that number that counts: this one, or one that was taken first."""
        path = self._looks / look.family / f"{look.number}.json"
        return _keep(path, look, look_to_json, look_from_json)

    def _taken(self, family: Family) -> Iterator[Look]:
        """The looks at a family, in order, up to a gap."""
        bring(self._looks / family.key)
        for number in range(1, len(family.at) + 1):
            path = self._looks / family.key / f"{number}.json"
            look = _read(path, look_from_json, read_copy)
            if look is None:
                return
            yield look


def _folders(root: Path, plan: Plan) -> list[Path]:
    folders = [root / "searches" / key for key in plan.tunings]
    return folders + [root / "looks" / key for key in plan.families]


def _keep(
    path: Path,
    decision: Decision,
    written: Callable[[Decision], dict[str, Any]],
    made: Callable[[Mapping[str, Any]], Decision],
) -> Decision:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"format": FORMAT, **written(decision)}
    with contextlib.suppress(FileExistsError):
        create_json(path, values, f".{path.stem}-{secrets.token_hex(4)}.tmp")
        return decision
    found = _read(path, made)
    if found is None:
        raise UserError(f"{told(path)}: was there a moment ago; run again")
    return found


def _read(
    path: Path,
    made: Callable[[Mapping[str, Any]], Decision],
    read: Callable[[Path], str] = read_text,
) -> Decision | None:
    try:
        values = json.loads(read(path))
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError(f"not a decision of format {FORMAT}")
        return made({name: value for name, value in values.items() if name != "format"})
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            f"{told(path)}: cannot be read ({error}); remove it to have it decided again"
        ) from error
