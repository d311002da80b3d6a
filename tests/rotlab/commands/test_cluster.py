"""`rotlab cluster check`: what it prints, and how it ends."""

from pathlib import Path

import pytest

from rotlab.cli import DONE, USER_ERROR, main

ROOT = Path(__file__).parents[3]
FILE = str(ROOT / "cluster.yaml")
PRICES = """\
currency: EUR
nodes:
  m6i.large: {hour: 0.1}
  c6i.4xlarge: {hour: 0.7, spot_hour: 0.3}
  g6.xlarge: {hour: 0.9, spot_hour: 0.4}
  g6.12xlarge: {hour: 5, spot_hour: 2}
  g6.48xlarge: {hour: 14, spot_hour: 6}
"""


def test_a_file_is_told_with_what_it_costs_and_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text(PRICES)
    space = str(ROOT / "search_spaces" / "paper.yaml")
    assert main(["cluster", "check", FILE, "--for", space, "--prices", str(prices)]) == DONE
    told = capsys.readouterr()
    assert "ok: a head, and 0 to 32 workers of 8 types, 4 of them spot" in told.out
    assert "  pretrain fits on gpu1-spot, gpu1, gpu4-spot" in told.out
    most = 0.1 + 14 + 4 * 6 + 2 * 5 + 8 * 2 + 8 * 0.9 + 4 * 0.7 + 5 * 0.4
    assert f"an hour costs 0.10 EUR without work, and at most {most:.2f} EUR (33 nodes)" in told.out
    assert "still the example's" in told.err


def test_what_cannot_be_used_ends_with_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cluster", "check", str(tmp_path / "none.yaml")]) == USER_ERROR
    assert main(["cluster", "chekc", FILE]) == USER_ERROR
    prices = tmp_path / "prices.yaml"
    prices.write_text(PRICES.replace("spot_hour", "spot_our"))
    assert main(["cluster", "check", FILE, "--prices", str(prices)]) == USER_ERROR
    told = capsys.readouterr().err
    assert "none.yaml: no such file" in told
    assert "invalid choice: 'chekc'" in told
    assert "unknown entry of g6.xlarge 'spot_our'; did you mean 'spot_hour'?" in told
