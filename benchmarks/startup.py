"""How long the commands take to answer --help, beside a bare interpreter and importing a peer.

python benchmarks/startup.py
"""

import subprocess
import sys
import time
from pathlib import Path

REPEATS = 5
BIN = Path(sys.executable).parent
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "rotlab --help": [str(BIN / "rotlab"), "--help"],
    "rotnet --help": [str(BIN / "rotnet"), "--help"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "python -c 'import ray'": [sys.executable, "-c", "import ray"],
}


def seconds(command: list[str]) -> float:
    """Return the seconds of the shortest of several whole runs, after one that fills caches."""
    subprocess.run(command, check=True, capture_output=True)
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    """Print a line for each command: seconds, and how many bare interpreters that is."""
    taken = {said: seconds(command) for said, command in COMMANDS.items()}
    bare = taken["python -c pass"]
    for said, each in taken.items():
        print(f"{said:<26} {each:6.3f} s   {each / bare:5.1f} x a bare interpreter")


if __name__ == "__main__":
    main()
