import torch

from rotnet.doctor.network import Convolutional

CPU = torch.device("cpu")


def pictures(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with a bright square in one of four corners."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (count,), generator=generator)
    shown = torch.randn(count, 3, 2, 16, 16, generator=generator)
    for picture, label in zip(shown, labels.tolist(), strict=True):
        row, column = divmod(label, 2)
        picture[..., row * 12 : row * 12 + 4, column * 12 : column * 12 + 4] += 3
    return shown.half(), labels


def test_it_finds_where_something_stands() -> None:
    shown, labels = pictures(640, seed=0)
    network = Convolutional(shown, labels, 4, seed=0, device=CPU)
    others, answers = pictures(200, seed=1)
    assert float((network.predict(others) == answers).float().mean()) > 0.9


def test_equal_seeds_give_equal_answers_and_leave_torchs_own_chance_alone() -> None:
    shown, labels = pictures(128, seed=0)
    torch.manual_seed(5)
    before = torch.rand(3)
    torch.manual_seed(5)
    one, other = (
        Convolutional(shown, labels, 4, seed=3, device=CPU).predict(shown) for _ in range(2)
    )
    assert torch.equal(one, other)
    assert torch.equal(torch.rand(3), before)
