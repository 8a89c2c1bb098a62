"""The parts of a rule document that all kinds share: what it emits, the tests it carries."""

from __future__ import annotations

from collections.abc import Sequence as Several

from logscope.errors import RuleError
from logscope.rules.documents import Located
from logscope.rules.emit import Emit, StepField, step_field
from logscope.rules.keywords import EMIT_KEYS, TEST_KEYS
from logscope.rules.model.rule import Expectation
from logscope.rules.reading import Complaints, Keys
from logscope.templating import Template, TemplateError, parse_template


def read_emit(entry: Located | None, names: tuple[Several[str], Several[str]] | None, complaints: Complaints) -> Emit:
    """The `emit` part.

    Args:
        entry: As it stands; None: there is none.
        names: Names of the steps that happen, and of the absent ones; None: they did not compile.
        complaints: Where errors go.
    """
    if entry is None:
        return Emit()
    keys = Keys(entry, EMIT_KEYS, complaints, "emit")
    happens, absent = names or ([], [])
    message: Template | None = None
    lookups: dict[str, StepField] = {}
    fields: dict[str, StepField] = {}

    def resolve(name: str, line: int, context: str) -> StepField | None:
        # A rule whose steps did not compile has been complained of already.
        if names is None:
            return None
        try:
            return step_field(name, happens, absent)
        except RuleError as error:
            complaints.take(error, line, context)
            return None

    text = keys.text("message")
    if text is not None:
        try:
            message = parse_template(text)
        except TemplateError as error:
            complaints.take(error, keys.line_of("message"), "emit: message")
        for name in message.names if message is not None else ():
            if (found := resolve(name, keys.line_of("message"), "emit: message")) is not None:
                lookups[name] = found
    listed = keys.entry("fields")
    if listed is not None:
        if not isinstance(listed.value, dict):
            keys.wrong("fields is not a mapping", listed.line, "write NAME: STEP.FIELD")
        else:
            for name, value in listed.value.items():
                if not isinstance(value.value, str):
                    keys.wrong(f"fields: {name} is not text", value.line, "write NAME: STEP.FIELD")
                elif (found := resolve(value.value, value.line, f"emit: fields: {name}")) is not None:
                    fields[name] = found
    return Emit(message, fields, keys.duration("suppress"), lookups)


def read_tests(keys: Keys, complaints: Complaints) -> tuple[Expectation, ...]:
    """The `tests` part.

    Args:
        keys: The rule's keys.
        complaints: Where errors go.
    """
    found: list[Expectation] = []
    for number, item in enumerate(keys.items("tests"), start=1):
        test = Keys(item, TEST_KEYS, complaints, f"test {number}")
        if not test.has("records") or "expect" not in test.entries:
            test.wrong("a test has records and expect", mend="write expect: [] for no detection")
        expected: list[dict[str, object]] = []
        for wanted in test.items("expect"):
            if isinstance(wanted.value, dict):
                expected.append(wanted.plain())
            else:
                test.wrong("expect has an item that is not a mapping", wanted.line, "write - {NAME: VALUE}")
        found.append(
            Expectation(
                name=test.text("name") or f"test {number}",
                records=test.names("records"),
                expect=tuple(expected),
                decide=test.text("at_end", choices=("decide", "pending")) != "pending",
                line=item.line,
            )
        )
    return tuple(found)
