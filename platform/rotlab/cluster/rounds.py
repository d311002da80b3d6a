"""Questions to every node of a Ray cluster: one small task on each, which takes no core."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from rotlab.cluster.findings import Clock
from rotlab.cluster.survey import Survey, now, survey

_ANSWER_S = 90.0  # a worker's start, and torch's import
_ASKED = 5
Found = TypeVar("Found")


@dataclass(frozen=True)
class Told(Generic[Found]):
    """What came back of a function.

    Args:
        where: address of the node.
        found: what it returned there; None where it did not answer.
        lost: why there is nothing.
    """

    where: str
    found: Found | None = None
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a node.

    Args:
        where: its address.
        survey: of it; None where it did not answer.
        clock: of it.
        lost: why there is no survey.
    """

    where: str
    survey: Survey | None = None
    clock: Clock | None = None
    lost: str = ""


def survey_nodes(root: str, mark: str) -> Iterator[Answer]:
    """Yield the answer of each living node of the cluster that is joined.

    Args:
        root: folder of the store.
        mark: name of a file that the driver has put there.
    """
    for node, told in _asked(survey, (root, mark), 0.0):
        clock = None if told.found is None else _clock(node)
        yield Answer(told.where, told.found, clock, told.lost)


def ask_nodes(
    function: Callable[..., Found], *given: object, least_cpus: float = 0.0
) -> Iterator[Told[Found]]:
    """Yield what a function returns on each living node, called with what is given.

    Args:
        function: of a module.
        given: its arguments.
        least_cpus: nodes that have fewer cores are not asked.
    """
    for _, told in _asked(function, given, least_cpus):
        yield told


def _asked(
    function: Callable[..., Found], given: Sequence[object], least_cpus: float
) -> Iterator[tuple[dict[str, Any], Told[Found]]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    meant = [
        node for node in nodes if node["Alive"] and node["Resources"].get("CPU", 0.0) >= least_cpus
    ]
    asked = [(node, _on(node, function).remote(*given)) for node in meant]
    end = time.monotonic() + _ANSWER_S
    for node, reference in asked:
        where = str(node["NodeManagerAddress"])
        try:
            found = ray.get(reference, timeout=max(0.0, end - time.monotonic()))
            yield node, Told(where, found)
        except GetTimeoutError:
            yield node, Told(where, lost=f"did not answer within {_ANSWER_S:g} s")
        except RayError as error:
            last = str(error).strip().splitlines()[-1]
            lost = f"could not be surveyed: {last}; is rotlab installed there?"
            yield node, Told(where, lost=lost)


def _clock(node: dict[str, Any]) -> Clock:
    """The node's clock, by the quickest of some questions."""
    ask = _on(node, now)
    best = Clock(0.0, float("inf"))
    for _ in range(_ASKED):
        before = time.time()
        theirs: float = ray.get(ask.remote(), timeout=_ANSWER_S)
        after = time.time()
        if (after - before) / 2 < best.within_s:
            best = Clock(theirs - (before + after) / 2, (after - before) / 2)
    return best


def _on(node: dict[str, Any], function: Any) -> Any:  # noqa: ANN401  # Ray's wrappers have no types
    strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return ray.remote(function).options(num_cpus=0, scheduling_strategy=strategy, max_retries=0)
