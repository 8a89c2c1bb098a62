"""SQL over the session's tables, and over nothing else: one SELECT that reads and changes nothing.

Polars' SQL can read any file (`read_csv('/etc/passwd')`) and drop tables, so a query is looked
through token by token before it runs, and runs in a context that knows the given tables alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from logscope.errors import FilterError

TABLES = ("records", "transactions", "detections")

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\r\n]*)
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<word>[^\W\d]\w*)
    |(?P<number>\d[\w.]*)
    |(?P<sign>[^\s])""",
    re.VERBOSE | re.DOTALL,
)
_CHANGES = frozenset(
    [
        "insert",
        "update",
        "delete",
        "drop",
        "create",
        "truncate",
        "alter",
        "copy",
        "attach",
        "detach",
        "into",
        "grant",
        "revoke",
        "call",
        "execute",
        "explain",
        "show",
        "describe",
        "pragma",
        "load",
        "install",
        "merge",
        "replace",
        "set",
        "use",
        "vacuum",
    ]
)
_FILE_FUNCTIONS = re.compile(r"(read|scan|sink|write)_\w+", re.IGNORECASE)
_FUNCTIONS_WITH_FROM = frozenset(("extract", "trim", "substring", "substr", "overlay", "position"))
_AFTER_TABLES = frozenset(
    [
        "where",
        "group",
        "having",
        "order",
        "limit",
        "offset",
        "fetch",
        "union",
        "intersect",
        "except",
        "window",
        "qualify",
        "on",
        "using",
        "select",
        "for",
        "sample",
    ]
)
_JOINS = frozenset(
    ["inner", "left", "right", "full", "outer", "cross", "natural", "semi", "anti", "asof", "lateral", "join"]
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query and its place."""

    kind: str
    text: str
    column: int

    @property
    def word(self) -> str:
        """A bare word in lower case; empty for anything else."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def name(self) -> str | None:
        """The identifier it is, quoted or not."""
        if self.kind == "word":
            return self.text
        return self.text[1:-1].replace(self.text[0] * 2, self.text[0]) if self.kind == "quoted" else None


def sql_tokens(text: str) -> Iterator[Token]:
    """A query's tokens, without blanks and comments.

    Args:
        text: The query.

    Raises:
        FilterError: A quote or comment is not closed, or a text is quoted in another way.
    """
    at = 0
    while at < len(text):
        if text.startswith("/*", at):
            end = text.find("*/", at + 2)
            if end < 0 or "/*" in text[at + 2 : end]:
                raise FilterError("the comment is not closed", column=at + 1, mend="add */; comments do not nest")
            at = end + 2
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            return
        kind = str(found.lastgroup)
        if found.group() in ('"', "'"):
            raise FilterError("the quote is not closed", column=at + 1, mend=f"add {found.group()}")
        # Other ways to quote end elsewhere for other readers: what is hidden in them could be read as code.
        if found.group() in ("`", "$") or (kind == "word" and text.startswith("'", found.end())):
            raise FilterError("texts are quoted by ' and names by \"", column=at + 1)
        if kind != "blank":
            yield Token(kind, found.group(), at + 1)
        at = found.end()


def tables_in(text: str) -> tuple[str, ...]:
    """Names that stand where a table stands (after FROM and JOIN), in order, each once.

    Args:
        text: One SQL query; comments, strings and `EXTRACT(... FROM ...)` do not mislead.
    """
    return tuple(dict.fromkeys(str(token.name) for token, _ in _table_places(list(sql_tokens(text)))))


def _table_places(tokens: list[Token]) -> Iterator[tuple[Token, Token | None]]:
    """Each identifier in a table's place and the token behind it."""
    # Per open parenthesis: within a FROM clause, and whether a table is awaited there.
    stack: list[tuple[bool, bool, bool]] = []
    listing = awaited = plain_from = False
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.text == "(":
            stack.append((listing, False, plain_from))
            plain_from = before is not None and before.word in _FUNCTIONS_WITH_FROM
            # A parenthesis where a table is awaited holds a query or tables.
            listing = awaited
        elif token.text == ")":
            listing, awaited, plain_from = stack.pop() if stack else (False, False, False)
        elif token.word == "join" or (token.word == "from" and not plain_from and not _compares(tokens, place)):
            listing = awaited = True
        elif token.text == "," and listing:
            awaited = True
        elif token.word in _AFTER_TABLES:
            listing = awaited = False
        elif token.word in _JOINS:
            continue
        elif awaited:
            awaited = False
            if token.name is not None:
                yield token, after


def _compares(tokens: list[Token], place: int) -> bool:
    """Whether a FROM belongs to `IS [NOT] DISTINCT FROM`."""
    return place > 1 and tokens[place - 1].word == "distinct" and tokens[place - 2].word in ("is", "not")


def check_sql(text: str) -> tuple[str, ...]:
    """Refuse everything but one query over the known tables.

    Args:
        text: SQL as typed.

    Returns:
        Which of `TABLES` it reads, in order.

    Raises:
        FilterError: It is no single SELECT or WITH, changes something, or reads something else.
    """
    tokens = list(sql_tokens(text))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    mend = f"write one SELECT over {', '.join(TABLES)}"
    if not tokens:
        raise FilterError("the query is empty", column=1, mend=mend)
    first = next((token for token in tokens if token.text != "("), tokens[0])
    if first.word not in ("select", "with"):
        raise FilterError(f"a query begins with SELECT or WITH, not {first.text}", column=first.column, mend=mend)
    made = set()
    for place, token in enumerate(tokens):
        after = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if token.text == ";":
            raise FilterError("more than one statement", column=token.column, mend=mend)
        if token.word in _CHANGES and after not in ("(", ".") and not (place and tokens[place - 1].text in (".", "as")):
            raise FilterError(
                f"{token.text.upper()} is not allowed",
                column=token.column,
                mend="queries only read; quote a column of that name",
            )
        if after == "(" and token.name is not None and _FILE_FUNCTIONS.fullmatch(token.name):
            raise FilterError(f"{token.name}() reads files", column=token.column, mend=mend)
        if (
            token.name is not None
            and place + 2 < len(tokens)
            and after.lower() == "as"
            and tokens[place + 2].text == "("
        ):
            made.add(token.name)
    used: dict[str, None] = {}
    for token, behind in _table_places(tokens):
        name = str(token.name)
        if behind is not None and behind.text == "(":
            raise FilterError(f"{name}() is no table", column=token.column, mend=mend)
        if name in TABLES:
            used[name] = None
        elif name not in made:
            raise FilterError(f"there is no table {name}", column=token.column, mend=mend)
    return tuple(used)


def run_sql(text: str, tables: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    """The result of a query over the given tables.

    Args:
        text: SQL as typed; checked first.
        tables: The tables by name; one that the query does not name need not be there.

    Raises:
        FilterError: As `check_sql`, or Polars cannot run it.
    """
    used = check_sql(text)
    missing = [name for name in used if name not in tables]
    if missing:
        raise FilterError(f"the table {missing[0]} is not there")
    with pl.SQLContext(frames={name: tables[name] for name in used}) as context:
        try:
            return context.execute(text, eager=True)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            why = str(error).strip().splitlines()
            raise FilterError(f"the query does not run: {why[0] if why else type(error).__name__}") from error
