"""What a running stage tells and asks: seldom, but nothing that matters is lost."""

from pathlib import Path

from rotlab.execution.conduct.message import Message
from rotlab.execution.on_ray.watch import MAX_POINTS, SEND_EVERY_S, TrialWatch


class Post:
    """A watch whose clock stands still until it is moved, and what it has sent."""

    def __init__(self, stop_file: Path) -> None:
        self.sent: list[Message] = []
        self.now = 0.0
        self.watch = TrialWatch(self.sent.append, stop_file, clock=lambda: self.now)


def test_steps_are_gathered_and_sent_seldom(tmp_path: Path) -> None:
    post = Post(tmp_path / "stop")
    for step in range(1, 5):
        post.watch.report(step, {"loss": 1.0})
    assert post.sent == []
    post.now = SEND_EVERY_S
    post.watch.report(5, {"loss": 1.0})
    (message,) = post.sent
    assert [point.step for point in message.points] == [1, 2, 3, 4, 5]


def test_a_checkpoint_sends_what_was_gathered(tmp_path: Path) -> None:
    post = Post(tmp_path / "stop")
    post.watch.saved(0, tmp_path)
    assert post.sent == []
    post.watch.report(1, {"loss": 1.0})
    post.watch.saved(1, tmp_path)
    assert [point.step for point in post.sent[0].points] == [1]
    assert post.watch.take_points() == ()


def test_many_steps_are_thinned_but_the_last_is_kept(tmp_path: Path) -> None:
    post = Post(tmp_path / "stop")
    for step in range(1, 1001):
        post.watch.report(step, {"loss": 1.0})
    steps = [point.step for point in post.watch.take_points()]
    assert len(steps) <= MAX_POINTS
    assert steps == sorted(steps)
    assert steps[-1] == 1000


def test_a_stop_file_stops_within_half_a_second_and_for_good(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    post = Post(stop)
    assert post.watch.should_stop() == "no"
    stop.touch()
    assert post.watch.should_stop() == "no"
    post.now = 0.5
    assert post.watch.should_stop() == "now"
    stop.unlink()
    assert post.watch.should_stop() == "now"


def test_gauges_are_looked_at_seldom_more_rarely_with_age_and_at_least_once(tmp_path: Path) -> None:
    post = Post(tmp_path / "stop")
    post.watch = TrialWatch(
        post.sent.append, tmp_path / "stop", lambda: post.now, lambda: {"system/x": post.now}
    )
    assert [point.metrics["system/x"] for point in post.watch.take_gauges()] == [0.0]
    for now in range(1, 101):
        post.now = float(now)
        post.watch.should_stop()
    looks = post.watch.take_gauges()
    assert [point.metrics["system/x"] for point in looks] == [10.0 * n for n in range(1, 11)]
    assert [point.step for point in looks] == list(range(1, 11))
    for now in range(100, 100_000, 10):
        post.now = float(now)
        post.watch.should_stop()
    assert len(post.watch.take_gauges()) < 1200
    assert post.watch.take_gauges() == ()


def test_a_stages_own_sign_stops_it_at_a_checkpoint_and_a_stop_file_comes_first(
    tmp_path: Path,
) -> None:
    stop, sign = tmp_path / "stop", tmp_path / "sign"
    post = Post(stop)
    post.watch = TrialWatch(post.sent.append, stop, clock=lambda: post.now, sign=sign)
    assert post.watch.should_stop() == "no"
    sign.touch()
    post.now += 0.5
    assert (post.watch.should_stop(), post.watch.is_pruned) == ("at_checkpoint", True)
    stop.write_text("now")
    post.now += 0.5
    assert (post.watch.should_stop(), post.watch.is_pruned) == ("now", False)
