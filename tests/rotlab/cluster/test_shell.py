"""Command lines, as cluster files hold them."""

from rotlab.cluster.shell import assignments, calls, is_below, network_mounts, option, words


def test_a_call_is_found_among_others_and_ends_with_its_command() -> None:
    line = "curl -sf x || (nohup mlflow server --host 1.2.3.4 --port=5 > log 2>&1 &) ; ray start"
    (given,) = calls(line, "mlflow", "server")
    assert (option(given, "--host"), option(given, "--port")) == ("1.2.3.4", "5")
    assert list(calls(line, "ray", "start")) == [[]]
    assert list(calls(line, "mlflow", "gc")) == []


def test_mounts_of_a_network_are_told_from_those_of_a_disk() -> None:
    line = "mountpoint -q /a || sudo mount -t nfs4 -o hard host:/ /a && sudo mount /dev/sdb /b"
    assert list(network_mounts(line)) == ["/a"]


def test_assignments_are_found_with_their_values() -> None:
    assert dict(assignments("export A=1 B='two words'; run --c=d")) == {"A": "1", "B": "two words"}
    assert words("echo 'open") == ["echo", "'open"]


def test_a_folder_is_not_below_one_that_its_name_begins_with() -> None:
    assert is_below("/shared/store", ("/shared",))
    assert is_below("/shared", ("/shared/",))
    assert not is_below("/sharedstore", ("/shared",))
