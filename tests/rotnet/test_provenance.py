"""No value of a recipe is without a source."""

from dataclasses import fields

import pytest
from pydantic import BaseModel

from rotnet.cli import main
from rotnet.provenance import OURS, REFERENCES, own_settings, sources_of
from rotnet.recipes import RECIPES, Recipe


def values(recipe: Recipe) -> dict[str, tuple[object, object]]:
    """Return section.setting -> its value, and the value that it has by itself."""
    found: dict[str, tuple[object, object]] = {}
    for section in fields(recipe):
        given = getattr(recipe, section.name)
        if isinstance(given, BaseModel):
            for name, field in type(given).model_fields.items():
                by_itself = field.get_default(call_default_factory=True)
                found[f"{section.name}.{name}"] = (getattr(given, name), by_itself)
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_every_value_has_a_source_and_no_source_is_of_nothing(name: str) -> None:
    assert sources_of(name).keys() == values(RECIPES[name]).keys()


@pytest.mark.parametrize("name", RECIPES)
def test_a_value_that_a_recipe_states_has_a_source_of_its_own(name: str) -> None:
    stated = {
        setting for setting, (value, itself) in values(RECIPES[name]).items() if value != itself
    }
    assert stated <= own_settings(name)


@pytest.mark.parametrize("name", RECIPES)
def test_a_source_is_our_choice_or_can_be_looked_up(name: str) -> None:
    for setting, source in sources_of(name).items():
        named = [short for short in REFERENCES if source.startswith(short)]
        assert source.startswith(OURS) or len(named) == 1, (setting, source)
    assert all("github.com/" in where for where in REFERENCES.values())


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_prints_each_value_beside_its_source(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipes", name]) == 0
    said = capsys.readouterr().out
    lines = {line.strip().partition(":")[0]: line for line in said.splitlines()}
    for setting, source in sources_of(name).items():
        assert lines[setting].endswith(f"  {source}")
    for short in REFERENCES:
        assert (f"source: {short} is " in said) == any(
            source.startswith(short) for source in sources_of(name).values()
        )
