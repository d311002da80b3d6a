"""What is said of a name that is not known."""

from rotlab.planning.space.names import unknown


def test_the_nearest_name_is_offered_and_a_short_list_shown() -> None:
    said = unknown("measure", "finetun", ["finetune", "pretrain"])
    assert said == "unknown measure 'finetun'; did you mean 'finetune'? (finetune, pretrain)"


def test_a_long_list_is_shown_only_where_nothing_is_near() -> None:
    names = [f"setting{n}" for n in range(20)]
    assert unknown("setting", "setting3x", names).endswith("did you mean 'setting3'?")
    assert "setting19)" in unknown("setting", "colour", names)


def test_an_empty_list_is_said_to_be_empty() -> None:
    assert unknown("axis", "a", []) == "unknown axis 'a' (there are none)"
