import pytest

from rotlab.tracking.expression import (
    Compare,
    Constant,
    FilterError,
    Junction,
    Missing,
    Name,
    Negation,
    OneOf,
    parse,
)


def test_and_binds_closer_than_or_and_not_closest() -> None:
    tree = parse("a == 1 or not b == 2 and c == 3")
    assert isinstance(tree, Junction)
    assert tree.word == "or"
    first, second = tree.parts
    assert isinstance(first, Compare)
    assert isinstance(second, Junction)
    assert second.word == "and"
    assert isinstance(second.parts[0], Negation)


def test_values_and_names_are_read_as_they_are_written() -> None:
    def right(text: str) -> object:
        tree = parse(text)
        assert isinstance(tree, Compare)
        assert isinstance(tree.right, Constant)
        return tree.right.value

    assert right("a == -1") == -1
    assert right("a == 1e-3") == 0.001
    assert right('a == "it\'s"') == "it's"
    assert right("a == TRUE") is True
    assert right("a == none") is None
    assert parse("`top-5 acc` > pretext.val_accuracy") == Compare(
        Name("top-5 acc", 0), ">", Name("pretext.val_accuracy", 14)
    )


def test_lists_and_missing_values_have_words_of_their_own() -> None:
    among = (Constant(2, 6), Constant("x", 9))
    assert parse("a in [2, 'x']") == OneOf(Name("a", 0), among, negated=False)
    assert parse("a not in (2)") == OneOf(Name("a", 0), (Constant(2, 10),), negated=True)
    assert parse("a is not missing") == Missing(Name("a", 0), negated=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rotations = 4", "position 11: = alone is not known; write =="),
        ("rotations == ", "position 13: expected a column or a value; it ends there"),
        ("rotations == 4 modality == 1", "position 16: expected and, or, or the end; found mod"),
        ("rotations", "position 10: expected == != < <= > >=, in, not in or is missing"),
        ("(a == 1", "position 8: expected ); it ends there"),
        ("a == 'x", "position 6: no ' closes this one"),
        ("a == 1 & b == 2", "position 8: & is not known; write and, or, not"),
        ("a in [b]", "position 7: text is written in quotes: 'b'"),
        ("a in 4", "position 6: expected a list, as in [2, 4]"),
        ("4 is missing", "position 1: a column can be missing"),
        ("", "position 1: expected a column or a value"),
        ("__import__('os').system('ls') == 1", "position 17: . is not known; a column"),
        ("(" * 5000 + "a == 1", "position 51: nested more than 50 deep"),
        ("a == 1.2.3", "position 6: "),
    ],
)
def test_what_cannot_be_read_is_told_with_its_position(text: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert said in str(caught.value)
