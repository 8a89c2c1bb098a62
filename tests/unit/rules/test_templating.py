from __future__ import annotations

import pytest

from logscope.templating import TemplateError, parse_template


def test_names_are_replaced_and_missing_ones_are_empty() -> None:
    template = parse_template("order {begin.order_id}: {begin.amount} {{net}} {psp.code}")
    assert template.names == ("begin.order_id", "begin.amount", "psp.code")
    values = {"begin.order_id": "{psp.code}", "begin.amount": "5"}
    assert template.render(values.get) == "order {psp.code}: 5 {net} "


@pytest.mark.parametrize(
    ("text", "column"),
    [("a {", 3), ("a } b", 3), ("{}", 1), ("{a!r}", 1), ("{a:>9}", 1), ("{a[0]}", 1), ("{a b}", 1), ("{{{", 3)],
)
def test_only_names_stand_in_braces(text: str, column: int) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    assert caught.value.column == column


def test_a_name_is_looked_up_whole_and_reaches_no_attribute() -> None:
    asked: list[str] = []
    assert parse_template("{x.__class__}").render(lambda name: asked.append(name)) == ""  # type: ignore[func-returns-value]
    assert asked == ["x.__class__"]
