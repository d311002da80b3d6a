"""Curves of tries that are compared: the same whether heard as they come or read back."""

from types import SimpleNamespace

from rotlab.execution.conduct.message import Point
from rotlab.execution.search.pruning import Pruning
from rotlab.execution.search.recall import Memory
from rotlab.planning.plan.decisions import Proposal, Proposed
from rotlab.planning.stage import Length, Stage


def test_a_longer_try_is_compared_alike_before_and_after_a_restart() -> None:
    """Its curve begins with that of the shorter one from whose end it goes on."""
    short, long = (
        Stage(name, "train", SimpleNamespace(t=SimpleNamespace(epochs=epochs)), {}, ())  # type: ignore[arg-type]
        for name, epochs in (("short", 5), ("long", 10))
    )
    points = [("short", 10 * epoch) for epoch in range(1, 6)] + [("long", 60), ("long", 70)]
    fed: list[tuple[str, int]] = []

    def rule(key: str, route: object, epoch: int, value: float, *, is_last: bool) -> bool:  # noqa: ARG001
        fed.append((key, epoch))
        return False

    def pruning() -> Pruning:
        events = [
            {"event": "stage_metrics", "key": key, "step": step, "time": 0.0, "metrics": {"a": 1.0}}
            for key, step in points
        ]
        memory = Memory(lambda: events, lambda *_: {}, lambda *_: False)
        made = Pruning(
            SimpleNamespace(metric="a", pruner="asha"),  # type: ignore[arg-type]
            Length("t.epochs", lambda *_: None, lambda *_: None),  # type: ignore[arg-type]
            SimpleNamespace(pruned=lambda *_: None),  # type: ignore[arg-type]
            rule,
            memory,
        )
        tuning = SimpleNamespace(key="s", target="x", modality="rgb")
        for number, stage in enumerate((short, long), start=1):
            proposed = Proposed(Proposal("s", number, {}), (stage.key,), (stage.key,))
            made.enter(tuning, proposed, {stage.key: stage})  # type: ignore[arg-type]
        return made

    def trunk(key: str) -> Stage | None:
        return short if key == "long" else None

    live = pruning()
    for key, step in points:
        live.hear(key, [Point(step, 0.0, {"a": 1.0})], trunk(key))
    heard = list(fed)
    fed.clear()
    pruning().replay(["short"], trunk)
    assert fed == heard
    assert ("long", 7) in heard
