"""What scheduling costs: a run of ours beside plain Ray Tune, the same stages on as many slots.

    python benchmarks/overhead.py [--stages 200] [--slots 4] [--classes 1] [--rounds 5]

A stage sleeps. The peer is Ray Tune with `reuse_actors=True` and its loggers off; it keeps nothing.
Ours keeps a record of every stage in a store, a journal, and a run for each in MLflow (SQLite).
Each turn is a process of its own; what counts is the time from the first stage's beginning to the
last one's end, so that neither pays for the start of Ray or of the driver. The bound is what the
stages alone take on so many slots. With three classes, stages in turn take one, two and three
slots: a worker serves one class only, so that others are started on the way.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ray
from nap import NapConfig, NapSettings
from ray import tune
from rich.console import Console

from rotlab.execution.conduct.job import Job
from rotlab.execution.on_ray.cluster import cluster
from rotlab.execution.run import run_job
from rotlab.planning.key import stage_key
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Resources, Stage, StageKind
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotnet.config import identity

KINDS = {
    f"nap{cpus}": StageKind(f"nap{cpus}", NapConfig, 1, "nap:nap", resources=Resources(cpus, 0.0))
    for cpus in (1, 2, 3)
}


def slots_of(number: int, classes: int) -> int:
    """Return how many slots a stage takes."""
    return 1 + number % classes


def plan_of(stages: int, seconds: float, classes: int) -> Plan:
    """Return a plan of independent stages, each a cell."""
    made = {}
    for number in range(stages):
        kind = KINDS[f"nap{slots_of(number, classes)}"]
        config = NapConfig(nap=NapSettings(seconds=seconds, number=number))
        key = stage_key(kind, identity(config), {}, ())
        made[key] = Stage(key, kind.name, config)
    cells = tuple(
        Cell({"n": i}, "none", {"seed": 0}, stage.kind, key, (key,))
        for i, (key, stage) in enumerate(made.items())
    )
    return Plan("naps", "", ("n",), cells, made)


def ours(stages: int, seconds: float, slots: int, classes: int) -> float:
    """Return the seconds between the first stage's start and the last one's end, in a run."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        resources = {kind.name: kind.resources for kind in KINDS.values()}
        plan = plan_of(stages, seconds, classes)
        job = Job(plan, KINDS, resources, "", {}, store, cpus=slots, gpus=0)
        if run_job(job, Console(stderr=True, quiet=True), lambda _: None):
            raise SystemExit("error: the run did not end well")
        events = Journal(store.journal_path("naps")).read()
    begun = [event["time"] for event in events if event["event"] == "stage_started"]
    ended = [event["time"] for event in events if event["event"] == "stage_ended"]
    return max(ended) - min(begun)


def plain(stages: int, seconds: float, slots: int, classes: int) -> float:
    """Return the same of Ray Tune alone."""

    def trial(config: dict[str, Any]) -> None:
        begun = time.time()
        time.sleep(seconds)
        tune.report({"number": config["number"], "begun": begun, "ended": time.time()})

    with cluster(None, slots, 0, verbose=False) as on:
        results = tune.Tuner(
            tune.with_resources(
                trial,
                lambda config: tune.PlacementGroupFactory(
                    [{"CPU": slots_of(config["number"], classes)}]
                ),
            ),
            param_space={"number": tune.grid_search(list(range(stages)))},
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(storage_path=str(on.scratch / "tune"), verbose=0),
        ).fit()
        metrics = [results[number].metrics or {} for number in range(len(results))]
        times = [(one["begun"], one["ended"]) for one in metrics]
    assert len(times) == stages  # noqa: S101
    assert not ray.is_initialized()  # noqa: S101
    return max(end for _, end in times) - min(begin for begin, _ in times)


WAYS = {"plain": plain, "ours": ours}


def in_a_process(way: str, args: argparse.Namespace) -> float:
    """Measure one way in a process of its own."""
    words = [sys.executable, __file__, "--way", way]
    words += ["--stages", str(args.stages), "--seconds", str(args.seconds)]
    words += ["--slots", str(args.slots), "--classes", str(args.classes)]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    seconds: float = json.loads(done.stdout.splitlines()[-1])
    return seconds


def main() -> None:
    """Measure in pairs, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stages", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=1.0, help="that each takes")
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--classes", type=int, default=1, choices=(1, 2, 3), help="of slots taken")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way:
        print(json.dumps(WAYS[args.way](args.stages, args.seconds, args.slots, args.classes)))
        return
    taken = sum(slots_of(number, args.classes) for number in range(args.stages))
    bound = taken * args.seconds / args.slots
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(args.rounds):
        for way in list(WAYS)[:: 1 if turn % 2 == 0 else -1]:
            took[way].append(in_a_process(way, args))
    ratios = [ours / plain for ours, plain in zip(took["ours"], took["plain"], strict=True)]
    print(
        f"{args.stages} stages of {args.seconds:g} s, of {args.classes} classes, on {args.slots} "
        f"slots; bound {bound:.1f} s"
    )
    for way, seconds in took.items():
        middle = statistics.median(seconds)
        print(
            f"  {way:6} {middle:6.1f} s ({min(seconds):.1f} to {max(seconds):.1f}), "
            f"{middle / bound:.3f} of the bound"
        )
    print(
        f"  ours to plain, pair by pair: median {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f})"
    )


if __name__ == "__main__":
    main()
