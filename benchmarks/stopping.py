"""What would a pruner have saved of a search that stopped nothing, and what would it have lost?

    python benchmarks/stopping.py STORE STUDY [--orders 200] [--at-once 2] [--sd POINTS]

The curves are real ones: what every proposal of a finished study told after each epoch, on videos
held out. Each search is run again on them, so many proposals at once, in many random orders, by the
very rule that stops stages. The peer is the search without a pruner. Lost is what the winner is
below that of the peer, at its end; what a replicate varies by is stated by --sd, else taken to be
what the share of right answers varies by for so many videos held out.
"""

import argparse
import json
import math
import statistics
from collections import deque
from pathlib import Path

import numpy as np

from rotlab.execution.search.routing import Rule
from rotlab.planning.kinds import load_kinds
from rotlab.planning.space.pruners import OPTIONS, Pruner
from rotlab.store.added import load_grown
from rotlab.store.store import Store

Curves = list[list[float]]


def curves_of(store: Store, study: str, metric: str) -> tuple[dict[str, Curves], int]:
    """Return the whole curves of each search's proposals, and on how many videos they were judged.

    Raises:
        SystemExit: if there are none.
    """
    kinds = load_kinds()
    saved = store.study(study)
    if saved is None:
        raise SystemExit(f"error: {store.root} has no study {study}")
    plan = load_grown(store, saved, kinds)
    found: dict[str, Curves] = {key: [] for key in plan.tunings}
    held_out = 0
    for one in plan.proposed:
        for key in one.results:
            stage = plan.stages[key]
            record = store.record(key, stage.kind)
            if record is None or "history.json" not in record.files:
                continue
            rows = json.loads(store.result_file(record, "history.json").read_text("utf-8"))
            found[one.proposal.tuning].append([row[metric] for row in rows])
            scores = np.load(store.result_file(record, "val_scores.npz"), allow_pickle=False)
            held_out = max(held_out, len(scores["labels"]))
    whole = {key: curves for key, curves in found.items() if len(curves) > 1}
    if not whole:
        raise SystemExit(f"error: {study} has no search with curves of {metric}")
    return whole, held_out


def race(pruner: Pruner, curves: Curves, at_once: int) -> tuple[int, float]:
    """Return how many epochs a search takes, curve after curve, and where its winner ends."""
    epochs = max(map(len, curves))
    rule = Rule(pruner, {"search": epochs}, maximize=True)
    waiting = deque(enumerate(curves))
    running: list[tuple[int, list[float], int]] = []
    trained, best = 0, -math.inf
    while waiting or running:
        while waiting and len(running) < at_once:
            running.append((*waiting.popleft(), 0))
        still = []
        for number, curve, at in running:
            is_last = at + 1 == len(curve)
            trained += 1
            if is_last:
                best = max(best, curve[at])
            behind = rule.falls_behind(str(number), ("search",), at + 1, curve[at], is_last=is_last)
            if not behind and not is_last:
                still.append((number, curve, at + 1))
        running = still
    return trained, best


def main() -> None:
    """Replay, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("study")
    parser.add_argument("--metric", default="val_accuracy")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--sd", type=float, help="of a replicate, in points")
    args = parser.parse_args()
    searches, held_out = curves_of(Store(args.store), args.study, args.metric)
    rng = np.random.default_rng(0)
    print(f"{args.study}: {len(searches)} searches, {args.orders} orders of each")
    for number, curves in enumerate(searches.values(), start=1):
        best = max(curve[-1] for curve in curves)
        sd = args.sd or 100 * math.sqrt(max(best * (1 - best), 1 / held_out) / held_out)
        ends = sorted(100 * curve[-1] for curve in curves)
        print(
            f"search {number}: {len(curves)} tries of {max(map(len, curves))} epochs, ends "
            f"{ends[0]:.1f} to {ends[-1]:.1f} %, {_crossings(curves)} pairs cross after a third of "
            f"the way; a replicate varies by {sd:.1f} points"
        )
        orders = [[curves[i] for i in rng.permutation(len(curves))] for _ in range(args.orders)]
        for name in OPTIONS:
            told = [race(Pruner(name), order, args.at_once) for order in orders]
            shares = [epochs / sum(map(len, curves)) for epochs, _ in told]
            lost = [100 * (best - end) for _, end in told]
            within = statistics.mean(one <= sd for one in lost)
            print(
                f"  {name:9} {100 * statistics.mean(shares):3.0f} % of the epochs; lost "
                f"{statistics.mean(lost):4.1f} points on average, {max(lost):4.1f} at most; within "
                f"a replicate's {100 * within:.0f} % of orders"
            )


def _crossings(curves: Curves) -> str:
    """How many pairs stand the other way round at the end than after a third of the way."""
    third = min(map(len, curves)) // 3
    pairs = [(a, b) for i, a in enumerate(curves) for b in curves[:i]]
    turned = sum((a[third] - b[third]) * (a[-1] - b[-1]) < 0 for a, b in pairs)
    return f"{turned} of {len(pairs)}"


if __name__ == "__main__":
    main()
