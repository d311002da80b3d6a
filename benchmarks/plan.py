"""How long `rotlab plan` takes for 10,000 cells, beside hashing each stage of each cell on its own.

    python benchmarks/plan.py

The peer does what a planner without sharing must do at least: for each cell and each of its
stages it writes the settings as JSON and hashes them. It validates, merges and prints nothing.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from rotlab.planning.kinds import EVALUATE, FINETUNE, PRETRAIN

AXES: dict[str, list[float]] = {
    "pretext.rotations": [2, 4, 8, 360],
    "clip.frames": [4, 8, 16, 32],
    "pretrain.lr": [0.1, 0.2, 0.3, 0.4, 0.5],
    "finetune.lr": [0.01, 0.02, 0.03, 0.04, 0.05],
    "finetune.weight_decay": [1e-3, 1e-4, 1e-5, 1e-6, 1e-7],
}
SEEDS = [0, 1, 2, 3, 4]
REPEATS = 3


def space() -> str:
    """Return a search space of 10,000 cells; JSON is YAML."""
    content = {
        "name": "large",
        "base": "tiny",
        "data": {"pretrain": "kinetics400", "target": "ucf101"},
        "axes": AXES,
        "replicates": {"seed": SEEDS},
    }
    return json.dumps(content)


def plan_seconds(folder: Path) -> float:
    """Return the seconds of one `rotlab plan`, as a whole process."""
    file = folder / "large.yaml"
    file.write_text(space())
    command = [str(Path(sys.executable).parent / "rotlab"), "plan", str(file), "--json"]
    command += ["--store", str(folder / "store"), "--data", str(folder)]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    taken = time.perf_counter() - start
    cells = json.loads(done.stdout)["cells"]
    if cells != 10_000:
        raise SystemExit(f"error: expected 10000 cells, got {cells}")
    return taken


def hash_seconds() -> float:
    """Return the seconds of hashing three stages for each cell."""
    defaults = {kind.name: kind.config().model_dump() for kind in (PRETRAIN, FINETUNE, EVALUATE)}
    start = time.perf_counter()
    keys = set()
    for values in product(*AXES.values(), SEEDS):
        chosen = dict(zip([*AXES, "seed"], values, strict=True))
        for kind, config in defaults.items():
            text = json.dumps([kind, config, chosen], sort_keys=True)
            keys.add(hashlib.sha256(text.encode()).hexdigest())
    return time.perf_counter() - start


def main() -> None:
    """Print both times and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        planned = min(plan_seconds(Path(folder)) for _ in range(REPEATS))
    hashed = min(hash_seconds() for _ in range(REPEATS))
    print(f"rotlab plan, 10,000 cells   {planned:6.2f} s   (whole process)")
    print(f"hashing every stage         {hashed:6.2f} s   (inside a running process)")
    print(f"ratio                       {planned / hashed:6.2f}")


if __name__ == "__main__":
    main()
