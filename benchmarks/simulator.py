"""What `rotlab plan --simulate` foretells, beside what then happens: the makespan of a real study.

    python benchmarks/simulator.py [--seeds 2] [--cpus 2]

Two studies of small trainings, of other seeds, run at the same time, so that whatever else the
machine does slows both. The second is then simulated with what its stages cost by the records of
the first. What happened is the time from the first stage's start to the last one's end, without
Ray's start. What the workers took beside their stages' own seconds is shown too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rotlab.planning.cost.costed import cost
from rotlab.planning.cost.prices import Prices
from rotlab.planning.plan.planned import Planned, plan_file
from rotlab.planning.release.outcome import Outcome
from rotlab.planning.release.scenario import parse_scenario
from rotlab.planning.release.simulated import simulate_plan
from rotlab.store.store import Store
from rotlab.store.timings import timings
from rotlab.tracking.journal import Journal
from rotnet.data.catalog import FolderKind
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import write_videos

SPACE: dict[str, Any] = {
    "question": "How long does it take?",
    "base": "tiny",
    "data": {"pretrain": "pool", "target": "actions"},
    "axes": {"modality": ["rgb", "dif", "fusion"], "init": ["rotation", "scratch"]},
    "runtime": {"workers": 0},
}


def make_data(folder: Path) -> None:
    """Prepare the sets that the studies are about."""
    for name, number, pool in (("actions", 64, False), ("pool", 64, True)):
        write_videos(folder / "videos" / name, num_videos=number, seed=int(pool), pool=pool)
        storage = Storage(short_side=36)
        prepare(folder / "videos" / name, folder / "data" / name, FolderKind(), storage=storage)


def write_space(path: Path, seeds: Sequence[int]) -> Path:
    """Write a study of these seeds; JSON is YAML."""
    path.write_text(json.dumps({**SPACE, "name": path.stem, "replicates": {"seed": list(seeds)}}))
    return path


def start(file: Path, cpus: int) -> subprocess.Popen[bytes]:
    """Start `rotlab run`, with a store of its own."""
    words = [str(Path(sys.executable).with_name("rotlab")), "run", str(file), "--cpus", str(cpus)]
    words += ["--data", str(file.parent / "data"), "--store", str(file.with_suffix(".store"))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environment)


def foretell(planned: Planned, past: Store, cpus: int) -> Outcome:
    """Simulate a study, none of which is done, by the records of another."""
    timed = tuple(timings(past.all_records(), planned.kinds))
    costed = cost(planned, (), timed, Prices(), "cpu")
    sources = {one.source for one in costed.estimates.values()}
    assert sources == {"like"}, sources  # noqa: S101
    return simulate_plan(planned, costed, (), parse_scenario(f"cpus={cpus}")).outcome


def happened(store: Store, name: str) -> tuple[float, float]:
    """Return a study's makespan, and what its attempts took beside their stages' own seconds."""
    begun: dict[str, float] = {}
    ended, beside = 0.0, 0.0
    for event in Journal(store.journal_path(name)).read():
        if event["event"] == "stage_started":
            begun[event["attempt"]] = event["time"]
        if event["event"] == "stage_ended":
            ended = event["time"]
            beside += ended - begun[event["attempt"]] - event["seconds"]
    return ended - min(begun.values()), beside


def main() -> None:
    """Run both, simulate one, and print both makespans."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=2, help="of each study; 12 stages a seed")
    parser.add_argument("--cpus", type=int, default=2, help="of each study")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder)
        first = write_space(folder / "past.yaml", range(args.seeds))
        second = write_space(folder / "coming.yaml", range(args.seeds, 2 * args.seeds))
        runs = [start(file, args.cpus) for file in (first, second)]
        if sum(run.wait() for run in runs):
            raise SystemExit("error: a run did not end well")
        planned = plan_file(second, folder / "data")
        outcome = foretell(planned, Store(first.with_suffix(".store")), args.cpus)
        store = Store(second.with_suffix(".store"))
        took, beside = happened(store, "coming")
    print(f"{outcome.stages} stages, {args.cpus} slots, costs of another study's records")
    print(f"  simulated  {outcome.makespan_s:6.1f} s")
    print(f"  happened   {took:6.1f} s: {outcome.makespan_s / took - 1:+.1%} from that")
    print(f"  beside the stages' own seconds: {beside / outcome.stages:.2f} s a stage")


if __name__ == "__main__":
    main()
