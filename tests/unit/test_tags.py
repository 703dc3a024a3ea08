"""Tags: the stack's own, and those that a setting adds."""

from tests.unit.stacks import TAGS, stack


def test_more_tags_are_on_every_resource_that_has_the_own_ones() -> None:
    given = {"Team": "payments", "cost:unit": "앱", "Empty-ish": "-"}
    plain, tagged = stack(), stack(tags=given)
    own = {each.name: each.inputs["tags"] for each in plain.resources if each.custom and "tags" in each.inputs}
    found = {each.name: each.inputs["tags"] for each in tagged.resources if each.custom and "tags" in each.inputs}
    assert len(own) > 30
    assert found == {name: tags | given for name, tags in own.items()}
    assert all(TAGS.items() <= tags.items() for tags in own.values())
