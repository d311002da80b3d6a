"""Where a store keeps what searches decide, each decision once and for all.

searches/<key>/<number>.json      a proposal
searches/<key>/<number>-value.json  how it ended, from when that was first made use of
searches/<key>/winner-<n>.json    the best of the first n
"""

import contextlib
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from rotlab.execution.files import create_json
from rotlab.planning.decisions import Decisions, Ended, Proposal, Tuning, Winner
from rotlab.planning.serial_searches import (
    ended_from_json,
    ended_to_json,
    proposal_from_json,
    proposal_to_json,
    winner_from_json,
    winner_to_json,
)
from rotnet.errors import UserError

FORMAT = 1
Decision = TypeVar("Decision", Proposal, Ended, Winner)


class DecisionBook:
    """Decisions of searches; the first to write one has decided, whoever runs beside.

    Args:
        root: of the store.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "searches"

    def read(self, tunings: Mapping[str, Tuning]) -> Decisions:
        """Return what was decided of searches, of each as many proposals as it is to try.

        Raises:
            UserError: a decision cannot be read.
        """
        proposals, winners = {}, {}
        values: dict[str, dict[int, float | None]] = {}
        for key, tuning in tunings.items():
            found: list[Proposal] = []
            values[key] = {}
            while len(found) < tuning.proposals:
                number = len(found) + 1
                one = _read(self._root / key / f"{number}.json", proposal_from_json)
                if one is None:
                    break
                found.append(one)
                ended = _read(self._root / key / f"{number}-value.json", ended_from_json)
                if ended is not None:
                    values[key][number] = ended.value
            proposals[key] = tuple(found)
            path = self._root / key / f"winner-{tuning.proposals}.json"
            winner = _read(path, winner_from_json)
            if winner is not None:
                winners[key] = winner
                values[key] = dict(winner.values)
        return Decisions(proposals, winners, values=values)

    def keep_proposal(self, proposal: Proposal) -> Proposal:
        """Return the proposal of that number that counts: this one, or one that came first."""
        path = self._root / proposal.tuning / f"{proposal.number}.json"
        return _keep(path, proposal, proposal_to_json, proposal_from_json)

    def keep_end(self, ended: Ended) -> Ended:
        """Return the end of that proposal that counts: this one, or one that came first."""
        path = self._root / ended.tuning / f"{ended.number}-value.json"
        return _keep(path, ended, ended_to_json, ended_from_json)

    def keep_winner(self, winner: Winner) -> Winner:
        """Return the winner that counts: this one, or one that came first."""
        path = self._root / winner.tuning / f"winner-{winner.proposals}.json"
        return _keep(path, winner, winner_to_json, winner_from_json)


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
        raise UserError(f"{path}: was there a moment ago; run again")
    return found


def _read(path: Path, made: Callable[[Mapping[str, Any]], Decision]) -> Decision | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError(f"not a decision of format {FORMAT}")
        return made({name: value for name, value in values.items() if name != "format"})
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); remove it to have it decided again"
        ) from error
