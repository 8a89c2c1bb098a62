from __future__ import annotations

import pytest

from logscope.errors import FilterError
from logscope.language.sequence import SequenceSyntax, StepSyntax, is_sequence, parse_sequence, sequence_to_text

EXAMPLE = (
    'seq by transaction maxspan 5m: [service:payments "charge begin"] ["psp response"] '
    'not ["charge settled"] within 30s until ["order cancelled"]'
)


def test_the_example_of_the_interface() -> None:
    assert parse_sequence(EXAMPLE) == SequenceSyntax(
        ("transaction",),
        300_000_000,
        (
            StepSyntax("step1", 'service:payments "charge begin"'),
            StepSyntax("step2", '"psp response"'),
            StepSyntax("step3", '"charge settled"', absent=True, within_us=30_000_000),
        ),
        '"order cancelled"',
    )
    assert sequence_to_text(parse_sequence(EXAMPLE)) == EXAMPLE
    assert is_sequence(EXAMPLE)
    assert not is_sequence("seq number")


def test_names_pauses_and_several_keys() -> None:
    found = parse_sequence("seq by order_id, host: begin=[a] next = [b] maxpause 10 s not late=[c]")
    assert found.by == ("order_id", "host")
    assert [(step.name, step.maxpause_us, step.absent) for step in found.steps] == [
        ("begin", None, False), ("next", 10_000_000, False), ("late", None, True),
    ]  # fmt: skip
    assert parse_sequence(sequence_to_text(found)) == found
    assert parse_sequence("seq by a b: [x]").by == ("a", "b")


def test_a_bracket_within_a_word_of_a_rule_is_quoted() -> None:
    sequence = SequenceSyntax((), None, (StepSyntax("step1", "oops] again"),))
    text = sequence_to_text(sequence)
    assert text == 'seq: ["oops]" again]'


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("sequence: [a]", 1), ("seq [a]", 5), ("seq by: [a]", 7), ("seq maxspan: [a]", 12), ("seq maxspan 5x: [a]", 13),
        ("seq: a", 6), ("seq: [a", 6), ("seq: [a (b]", 9), ("seq: [level>loud (]", 19), ("seq: [a] within 5s", 10),
        ("seq: [a] not [b] maxpause 5s", 18), ("seq: [a] until [b] [c]", 20), ("seq: not [a]", 12), ("seq:", 4),
        ("seq: x=[a] x=[b]", 15), ("seq: [a] [b", 10), ("seq by a a: [b]", 10), ('seq: ["a]', 7),
    ],
)  # fmt: skip
def test_errors_point_at_the_column(text: str, column: int) -> None:
    with pytest.raises(FilterError) as caught:
        parse_sequence(text)
    assert caught.value.column == column
