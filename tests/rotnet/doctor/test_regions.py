import torch

from rotnet.doctor.regions import centre, colour, depths, high_pass, ring


def test_a_ring_is_as_wide_and_as_deep_as_asked() -> None:
    shown = ring(torch.ones(1, 1, 10, 10), 2, 1)[0, 0]
    assert int(shown.sum()) == 4 * 5
    assert shown[2, 2] == shown[2, 7] == shown[7, 4] == 1
    assert shown[1, 4] == shown[3, 3] == 0


def test_rings_side_by_side_and_the_middle_make_the_whole() -> None:
    pictures = torch.randn(2, 3, 8, 8)
    parts = ring(pictures, 0, 2) + centre(pictures)
    assert torch.equal(parts, pictures)


def test_rings_do_not_overlap_at_any_size() -> None:
    assert depths(112) == (4, 8, 20)
    for side in (20, 32, 64, 112, 224):
        width, following, inner = depths(side)
        assert width <= following - width
        assert following + width <= inner
        assert inner + width < side // 2


def test_high_pass_keeps_no_level_and_colour_no_brightness() -> None:
    pictures = torch.randn(2, 3, 1, 16, 16)
    assert torch.allclose(high_pass(pictures + 5), high_pass(pictures), atol=1e-4)
    assert torch.allclose(colour(pictures).mean(dim=1), torch.zeros(2, 1, 16, 16), atol=1e-6)
