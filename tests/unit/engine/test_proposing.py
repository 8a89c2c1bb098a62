from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from logscope.engine.rulework.newfiles import name_of
from logscope.engine.rulework.proposing import (
    Example,
    StepSpan,
    bound_of,
    fields_of,
    names_of,
    nice_step,
    nice_up,
    spans_of,
    steps_of,
    turned,
    words_of,
)
from logscope.engine.rulework.wording import message_of, retold
from logscope.rules.drafts import Draft, DraftField, DraftStep

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("charge begin order_id=ORD-1 amount=5.00", "charge begin"),
        ("psp response code=202 took=3ms", "psp response"),
        ("GET /api/orders/ORD-17 200 rt=0.3", "GET /api/orders/"),
        ("POST /webhooks/psp?ref=PSP1 200", "POST /webhooks/psp"),
        ("12 retries left for job", "retries left for job"),
        ("ORD-1 42", ""),
        ("java.lang.IllegalState: no\n\tat x.Y(Z.java:3)", "java.lang.IllegalState: no"),
    ],
)
def test_words_are_what_a_line_of_code_wrote_without_ids(message: str, words: str) -> None:
    assert words_of(message) == words


def test_names_are_told_apart() -> None:
    assert names_of(["charge begin", "trip begin", "begin", "trip begin", "", ""]) == [
        "begin", "trip_begin", "begin_2", "begin_3", "step", "step_2",
    ]  # fmt: skip


def example(row: int, message: str, fields: dict[str, str], keys: dict[str, str], absent: bool = False) -> Example:
    return Example(row, "orders", message, fields, keys, absent, frozenset({"thread"}))


def test_steps_of_equal_words_are_told_apart_by_what_they_say_not_by_ids() -> None:
    steps = steps_of(
        [
            example(1, "state change", {"order": "ORD-1", "to": "NEW"}, {"order": "order_id"}),
            example(2, "state change", {"order": "ORD-1", "to": "PAID"}, {"order": "order_id"}, absent=True),
        ]
    )
    assert [step.where for step in steps] == [
        'service:orders "state change" to:NEW',
        'service:orders "state change" to:PAID',
    ]
    assert [step.absent for step in steps] == [False, True]


def test_fields_offer_each_value_once_and_choose_what_names_the_transaction() -> None:
    shown = [
        example(1, "charge begin", {"thread": "t-1", "rid": "r1", "order": "ORD-1", "kind": "card", "amount": "5"},
                {"rid": "request_id", "order": "order_id"}),
        example(2, "psp response", {"order_id": "ORD-1", "ref": "P1"}, {"order_id": "order_id", "ref": "reference"}),
    ]  # fmt: skip
    found = fields_of(steps_of(shown), shown, frozenset({"order_id", "reference"}))
    assert [one.name for one in found] == ["order", "ref", "amount", "kind", "thread", "rid"]
    assert [one.name for one in found if one.chosen] == ["order", "ref"]
    assert found[0].source == "begin.order"


def test_spans_measure_the_pause_and_who_never_came() -> None:
    steps = [DraftStep("a", "a"), DraftStep("b", "b"), DraftStep("c", "c", absent=True), DraftStep("d", "d")]
    hits = [
        pl.DataFrame({"transaction": [1, 2, 3], "time": [0, 0, 0]}),
        pl.DataFrame({"transaction": [1, 1, 2], "time": [5, 9, 7]}),
        pl.DataFrame({"transaction": [1], "time": [8]}),
        pl.DataFrame({"transaction": [1, 2], "time": [6, 3]}),
    ]
    spans, longest = spans_of(steps, hits)
    assert [(span.step, span.reached, span.followed, span.longest) for span in spans] == [
        ("b", 3, 2, 7), ("c", 2, 1, 3), ("d", 2, 1, 1),
    ]  # fmt: skip
    assert longest == 7


def test_bounds_stand_well_above_what_was_seen_and_are_round() -> None:
    assert bound_of(StepSpan("s", 9, 9, SECOND, SECOND, SECOND, 83 * SECOND)) == 2 * SECOND  # one outlier in many
    assert bound_of(StepSpan("s", 9, 9, 5 * SECOND, 19 * SECOND, 62 * SECOND, 83 * SECOND)) == 180 * SECOND
    assert bound_of(StepSpan("s", 9, 0, 0, 0, 0, 0)) is None
    assert nice_up(61 * SECOND) == 120 * SECOND
    assert nice_step(nice_step(30 * SECOND, 1), -1) == 30 * SECOND
    assert nice_step(1000, -1) is None


def test_a_step_turned_absent_takes_its_window_from_the_data_and_back_again() -> None:
    draft = Draft("t", "t", steps=(DraftStep("a", "a"), DraftStep("b", "b", bound=SECOND)), maxspan=60 * SECOND)
    span = StepSpan("b", 10, 9, SECOND, 20 * SECOND, 60 * SECOND, 80 * SECOND)
    gone = turned(draft, 1, [span])
    assert gone.steps[1] == DraftStep("b", "b", absent=True, bound=180 * SECOND)
    assert gone.maxspan == 180 * SECOND
    assert not turned(gone, 1, [span]).steps[1].absent


def test_a_draft_without_a_step_is_no_longer_called_by_it() -> None:
    steps = (DraftStep("begin", "a"), DraftStep("response", "b"), DraftStep("settled", "c", absent=True))
    fields = (DraftField("order_id", "begin.order_id"), DraftField("ref", "response.ref"))
    title = "Charge begin, PSP response, no charge settled"
    before = Draft(
        title=title, name=name_of(title), steps=steps, fields=fields, message=message_of(title, fields, steps)
    )
    without = retold(before, before.with_step(0, None))
    assert without.title == "PSP response, no charge settled"
    assert without.name == "psp_response_no_charge_settled"
    assert without.message == "{response.ref}: PSP response, no charge settled"
    turned = retold(before, before.with_step(1, replace(steps[1], absent=True)))
    assert turned.title == "Charge begin, no PSP response, no charge settled"
    typed = replace(before, title="Never settled")
    assert retold(typed, typed.with_step(0, None)).title == "Never settled"


def test_a_long_name_ends_with_a_whole_word() -> None:
    assert name_of("Charge begin, psp response, no webhook received, no charge settled").endswith("_no_charge")
