"""Price files: what they say, and every mistake with its line."""

from pathlib import Path

import pytest

from rotlab.planning.cost.devices import DEVICES
from rotlab.planning.cost.prices import NodePrice, Prices, read_prices
from rotlab.planning.space.problems import SpecError
from rotnet.errors import UserError

GOOD = """\
currency: EUR
device: A100
devices:
  A100: {gpu_hour: 1.5, flops: {fp32: 7e12}}
  MI300: {gpu_hour: 2, flops: 9e12}
  cpu: {cpu_hour: 0.04}
"""
BAD = """\
curency: EUR
device: B900
devices:
  A100: {gpu_hour: -1, flops: {fp23: 7e12}}
  MI300: {gpu_hour: 1}
  cpu: {gpu_hour: 0.04}
  T4: {flops: 0}
"""


def read(tmp_path: Path, text: str) -> Prices:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    return read_prices(path)


def test_a_file_says_what_hours_cost_and_how_fast_devices_are(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert (found.currency, found.device) == ("EUR", "A100")
    assert found.hourly == {"A100": 1.5, "MI300": 2.0, "cpu": 0.04}
    assert found.find("A100").flops["fp32"] == 7e12
    assert found.find("A100").flops["bf16"] == DEVICES["A100"].flops["bf16"]
    assert "price file: fp32; else assumed" in found.find("A100").source
    assert set(found.find("MI300").flops.values()) == {9e12}
    assert found.find("cpu").flops == DEVICES["cpu"].flops
    assert found.find("T4") == DEVICES["T4"]


def test_whole_machines_have_prices_on_demand_and_as_spot(tmp_path: Path) -> None:
    text = "currency: EUR\nnodes:\n  g6.xlarge: {hour: 0.9, spot_hour: 0.4}\n  head: {hour: 0}\n"
    found = read(tmp_path, text)
    assert found.nodes == {"g6.xlarge": NodePrice(0.9, 0.4), "head": NodePrice(0.0)}
    assert found.hourly == {}
    for bad, said in (
        ("nodes: {g6.xlarge: {hour: -1}}", "must be a number at least 0, got -1"),
        ("nodes: [g6.xlarge]", "nodes: must be a mapping of machines to prices"),
        ("nodes: {g6.xlarge: {hour: 1}}", "currency: is missing"),
    ):
        with pytest.raises(SpecError, match=said):
            read(tmp_path, bad)


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        read(tmp_path, BAD)
    said = str(refused.value)
    for expected in (
        "line 1 curency: unknown key 'curency'; did you mean 'currency'?",
        "line 2 device: unknown device 'B900'",
        "line 4 devices.A100.gpu_hour: must be a number at least 0, got -1",
        "line 4 devices.A100.flops.fp23: unknown precision 'fp23'; did you mean 'fp32'?",
        "line 5 devices.MI300: needs flops",
        "line 6 devices.cpu.gpu_hour: unknown entry of cpu 'gpu_hour'; did you mean 'cpu_hour'?",
        "line 7 devices.T4.flops: must be a number greater than 0, got 0",
    ):
        assert expected in said


def test_an_empty_file_is_told_what_a_price_file_is(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="a price file has currency and devices"):
        read(tmp_path, "")


def test_prices_need_a_currency(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="currency: is missing"):
        read(tmp_path, "devices: {A100: {gpu_hour: 1}}\n")
    assert read(tmp_path, "devices: {A100: {flops: 1e12}}\n").hourly == {}


def test_a_device_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UserError, match=r"unknown device 'A1000'; did you mean 'A100'\?"):
        Prices().find("A1000")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A100", "NVIDIA A100-SXM4-80GB"),
        ("T4", "Tesla T4"),
        ("cpu", "cpu"),
        ("H100", "NVIDIA H100 80GB HBM3"),
    ],
)
def test_a_record_names_its_device_in_more_words(name: str, found: str) -> None:
    assert [one.name for one in DEVICES.values() if one.is_called(found)] == [name]
