"""`make chaos`: a study of real trainings while all that runs it is killed, time and again.

    python -m tests.chaos.long [--times 2] [--seed 0] [--nodes 3] [--log chaos.log]

Every victim is killed at every point so many times: 22 kills with 2. It ends with an error unless
the study ends, every result is bit-equal to that of an undisturbed run, every stage has one record,
MLflow one run for each, and no process is left.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.plan.planned import Planned, plan_file
from rotlab.store.store import Store
from rotnet.data.catalog import FolderKind
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import write_videos
from rotnet.learning.watch import Unwatched
from tests.chaos.environment import environment
from tests.chaos.nodes import LOG, nodes_up
from tests.chaos.storm import GONE_S, Storm, all_strikes
from tests.chaos.verdict import check_journal, check_mlflow, check_results, left
from tests.rotlab.execution.processes import wait_until

FILE = Path(__file__).with_name("chaos.yaml")


def make_data(folder: Path) -> None:
    """Prepare the sets that the study is about."""
    for name, number, pool in (("actions", 32, False), ("pool", 20, True)):
        write_videos(folder / "videos" / name, num_videos=number, seed=int(pool), pool=pool)
        storage = Storage(short_side=24)
        prepare(folder / "videos" / name, folder / "data" / name, FolderKind(), storage=storage)


def run_undisturbed(planned: Planned, store: Store) -> None:
    """Do every stage, one after the other, in this process."""
    data = {one.name: one.location for one in planned.datasets.values() if one.location}
    cpus = dict.fromkeys(planned.kinds, 1)
    work = Work(planned.plan.stages, planned.kinds, data, store.root, cpus)
    for key in planned.plan.stages:
        perform(key, work, Unwatched())


def command(folder: Path, address: str) -> list[str]:
    """Return the command line that a user would give."""
    words = [str(Path(sys.executable).with_name("rotlab")), "run", str(FILE), "--address", address]
    return [*words, "--data", str(folder / "data"), "--store", str(folder / "store")]


def main() -> None:
    """Run the study, disturbed and not, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=2, help="every victim at every point [2]")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the kills [0]")
    parser.add_argument("--nodes", type=int, default=3, help="of one core, besides the head [3]")
    parser.add_argument("--log", type=Path, default=Path("chaos.log"), help="kept [chaos.log]")
    args = parser.parse_args()
    handlers = (logging.StreamHandler(), logging.FileHandler(args.log, mode="w"))
    logging.basicConfig(format="%(message)s", handlers=handlers)
    LOG.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["ROTNET_CACHE"] = str(folder / "cache")
        make_data(folder)
        planned = plan_file(FILE, folder / "data")
        undisturbed, store = Store(folder / "undisturbed"), Store(folder / "store")
        began = time.monotonic()
        run_undisturbed(planned, undisturbed)
        total = len(planned.plan.stages)
        LOG.info("%d stages in one process, undisturbed: %.0f s", total, time.monotonic() - began)
        orders = folder / "orders"
        orders.mkdir()
        strikes = all_strikes(args.times, args.seed)
        with nodes_up(args.nodes, environment(orders)) as nodes:

            def done() -> int:
                return sum(1 for _ in store.root.glob("*/*/record.json"))

            line = command(folder, nodes.address)
            Storm(line, orders, nodes, done, total, strikes).run()
            alive = len(left(orders))
        wait_until(lambda: not left(orders), GONE_S)
        check_results(planned.plan, store, undisturbed)
        begun = check_journal(planned.plan, store)
        check_mlflow(planned.plan, store)
    LOG.info(
        "%d kills: all %d results bit-equal to the undisturbed run, one record each, one MLflow "
        "run each; %d attempts begun; of %d processes of the cluster none is left",
        len(strikes),
        total,
        begun,
        alive,
    )


if __name__ == "__main__":
    main()
