"""What sharing saves: the paper's study as planned, beside every cell running by itself.

    python benchmarks/sharing.py [--device A100]

The ratio hangs on what a pretraining costs beside a fine-tuning, and so on the recipe: all that
have a whole protocol are shown, on the paper's data (CtP and VCOP themselves pretrain on UCF101).
Hours are reckoned, not measured; `rotlab plan` says from what.
"""

import argparse
import json
import tempfile
from pathlib import Path

from rotlab.planning.cost.bill import Bill
from rotlab.planning.cost.costed import cost
from rotlab.planning.cost.prices import Prices
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.space.source import read_source

SPACE = Path(__file__).parents[1] / "search_spaces" / "paper.yaml"
RECIPES = ("paper", "ctp", "vcop")


def bill_of(recipe: str, device: str, folder: Path) -> Bill:
    """Return what the paper's study costs with another recipe; JSON is YAML."""
    path = folder / f"{recipe}.yaml"
    path.write_text(json.dumps({**read_source(SPACE).values, "base": recipe}))
    return cost(plan_file(path, folder), (), (), Prices(), device).bill


def main() -> None:
    """Print stages and GPU-hours, shared and not, and their ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="A100", help="to reckon with (default: A100)")
    device = parser.parse_args().device
    print(f"{'recipe':7} {'kind':9} {'stages':>12} {'ratio':>6}   {'GPU-hours':>19} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for recipe in RECIPES:
            bill = bill_of(recipe, device, Path(folder))
            for name, one in (*bill.kinds.items(), ("total", bill.total)):
                shared, alone = one.planned, one.unshared
                if not shared.gpu_hours:
                    continue  # fusions take no GPU
                stages = f"{shared.stages} / {alone.stages}"
                hours = f"{shared.gpu_hours:,.0f} / {alone.gpu_hours:,.0f}"
                print(
                    f"{recipe:7} {name:9} {stages:>12} {alone.stages / shared.stages:5.1f}x   "
                    f"{hours:>19} {alone.gpu_hours / shared.gpu_hours:5.1f}x"
                )


if __name__ == "__main__":
    main()
