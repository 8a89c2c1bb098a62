"""What a correlation key is, and what names of fields say about it.

Names only tip the scale: they veto measures, mark what is reused or shared by nature, and give keys
a readable name. Whether a column links is decided by its values (`discover`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from logscope.errors import PlanError

KeyClass = Literal["strong", "scoped", "weak", "hub"]
Origin = Literal["found", "format", "config", "user"]

CLASSES: tuple[KeyClass, ...] = ("strong", "scoped", "weak", "hub")
ORIGINS: tuple[Origin, ...] = ("found", "format", "config", "user")

HOUR_US = 3_600_000_000
SCOPED_GAP_US = 15 * 60_000_000
"""Silence after which a process, thread or connection id counts as a new one."""
PORT_GAP_US = 2 * 60_000_000
"""The same for ports, which are handed out again sooner."""


@dataclass(frozen=True, slots=True)
class Key:
    """A named identifier that ties records together."""

    name: str
    """What users type: `order_id`."""
    klass: KeyClass = "strong"
    """How it links (interface section 5)."""
    fields: tuple[str, ...] = ()
    """Names of record fields (or of the columns host, service, pid) that hold its values, aliases included; `a+b`: two
    fields that are an id only together."""
    pattern: str | None = None
    """Rust regex with one capture group over the record's raw text; every hit counts."""
    also: tuple[str, ...] = ()
    """Further such regexes: other places in the text where its values stand."""
    origin: Origin = "found"
    active: bool = True
    """An inactive key is listed and extracted for pivoting, but never links."""
    aliases: tuple[str, ...] = ()
    """Other names under which its values were found."""
    parents: tuple[str, ...] = ()
    """Keys of coarser grain: one of their values holds many of this one's."""
    why: str = ""
    """In words: why it links or does not."""
    shape: str | None = None
    """Rust regex that a field's value must match to be an id of this key; None: any."""
    hubs: tuple[str, ...] = ()
    """Values that the user said do not link."""
    reuse_us: int | None = None
    """Silence after which a scoped value was seen to be a new one, microseconds; None: what its name suggests."""

    @property
    def links(self) -> bool:
        """Whether it may link at all."""
        return self.active and self.klass in ("strong", "scoped")

    @property
    def patterns(self) -> tuple[str, ...]:
        """All its regexes."""
        return self.also if self.pattern is None else (self.pattern, *self.also)

    @property
    def gap_us(self) -> int | None:
        """Silence after which a scoped value is a new one, microseconds; None: never."""
        if self.klass != "scoped":
            return None
        if self.reuse_us is not None:
            return self.reuse_us
        names = {normalise(name) for name in (self.name, *self.fields)}
        return PORT_GAP_US if any(name.endswith("port") for name in names) else SCOPED_GAP_US


def normalise(name: str) -> str:
    """Lower case, letters and digits only: `X-Request-Id` is `xrequestid`."""
    return "".join(character for character in name.lower() if character.isalnum())


def snake_case(name: str) -> str:
    """A field's name as a key is called: `http.requestId` and `X-Request-Id` are `request_id`."""
    parts = [part for part in re.split(r"[./]", name) if part]
    text = parts[-1] if parts else name
    if len(parts) > 1 and normalise(text) in GENERIC_NAMES:
        text = f"{parts[-2]}_{text}"
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    text = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_").lower()
    if text.startswith("x_") and text.count("_") > 1:
        text = text[2:]
    return text or "key"


GENERIC_NAMES = frozenset({"id", "uuid", "guid", "key", "value", "name", "ref", "data", "num", "no", "code", "type"})
"""Names that say nothing: such a field is bound to its own service (`id@orders`)."""
AT = "@"


JOINT = "+"
"""Joins the names of fields that are an id only together (`branch+ticket`), and their values."""


def parts_of(field: str) -> tuple[str, ...]:
    """The record fields that a key's field is made of: one, or those joined by `+`."""
    parts = tuple(field.split(JOINT))
    return parts if all(parts) else (field,)


def is_generic(field: str) -> bool:
    """Whether a field's name says nothing of what it holds."""
    return normalise(field) in GENERIC_NAMES


def bound(field: str) -> tuple[str, str | None]:
    """A key's field as records have it, and the service (or source) that it counts for; None: all."""
    name, sign, place = field.rpartition(AT)
    return (name, place) if sign and is_generic(name) else (field, None)


_STRONG: dict[str, tuple[str, ...]] = {
    "trace_id": ("traceid", "xtraceid", "xb3traceid", "b3traceid", "ddtraceid", "oteltraceid", "traceparent", "b3",
                 "xamzntraceid", "xcloudtracecontext", "ubertraceid"),
    "span_id": ("spanid", "xb3spanid", "ddspanid"),
    "request_id": ("requestid", "reqid", "xrequestid", "rid", "httprequestid"),
    "correlation_id": ("correlationid", "xcorrelationid", "corrid", "correlid", "cid"),
    "session_id": ("sessionid", "sessid", "sid", "session", "jsessionid", "phpsessid"),
    "order_id": ("orderid", "ordernumber", "orderno", "ordernum"),
    "payment_id": ("paymentid", "paymentref", "paymentreference"),
    "transaction_id": ("transactionid", "txnid", "txid", "txn"),
    "job_id": ("jobid",),
    "message_id": ("messageid", "msgid", "xmessageid"),
    "call_id": ("callid",),
    "flow_id": ("flowid",),
}  # fmt: skip

CANONICAL: dict[str, str] = {name: key for key, names in _STRONG.items() for name in names}
"""Normalised field names that mean one thing everywhere, and the key they feed."""

CONTEXT_IDS = ("trace", "request", "correlation", "session", "span", "job", "message")
"""Ids of the machinery rather than of the business; tips nothing but words."""

_WEAK_NAMES = (
    "user userid uid username usr login account accountid customer customerid client clientid email mail phone ip "
    "ipaddress clientip remoteip remoteaddr addr address srcip dstip src dst host hostname server node pod "
    "container tenant tenantid org orgid organization region zone cluster namespace url uri path route endpoint "
    "method agent useragent referer referrer device deviceid sku product productid item itemid article category "
    "store shop merchant merchantid service app application logger class thread_name env environment version "
    "country city locale lang currency "
)
WEAK_NAMES = frozenset(_WEAK_NAMES.split())
"""What many transactions share by nature: one pivots on it."""

_SCOPED_NAMES = (
    "pid tid ppid processid process threadid thread threadname conn connid connection connectionid fd port "
    "srcport sport dport dstport clientport remoteport seq sequence worker workerid goroutine fiber "
)
SCOPED_NAMES = frozenset(_SCOPED_NAMES.split())
"""What is handed out again within a host or process."""

_MEASURES = (
    "ms us ns sec secs seconds millis nanos micros duration elapsed took latency bytes size length len count total "
    "amount price cost status statuscode code time timestamp ts date offset partition level severity priority percent "
    "ratio rate retries retry attempt attempts qty quantity weight width height lat lon score version line lineno rows"
)
MEASURES = frozenset(_MEASURES.split())

_MEASURE_WORD = re.compile(
    r"(?:^|[_.\-\s])(" + "|".join(_MEASURES.split()) + r")$|(?:Ms|Bytes|Count|Size|Time|Amount)$"
)


def is_measure(name: str) -> bool:
    """Whether a field's name says that it counts or times something."""
    plain = normalise(name)
    if plain in CANONICAL or plain.endswith("id"):
        return False
    return plain in MEASURES or _MEASURE_WORD.search(name) is not None


def _in_table(name: str, table: frozenset[str]) -> bool:
    last = re.split(r"[./]", name)[-1]
    return normalise(name) in table or normalise(last) in table


def is_weak_name(name: str) -> bool:
    """Whether the name is that of a user, host, product or the like."""
    return _in_table(name, WEAK_NAMES)


def is_scoped_name(name: str) -> bool:
    """Whether the name is that of a process, thread, connection or port."""
    return _in_table(name, SCOPED_NAMES)


def is_id_name(name: str) -> bool:
    """Whether the name says that it holds an identifier."""
    plain = normalise(re.split(r"[./]", name)[-1])
    return (
        plain in CANONICAL or plain.endswith(("id", "uuid", "guid", "ref", "reference")) or normalise(name) in CANONICAL
    )


def idlikeness(name: str) -> int:
    """How good a name for a key it is: 3 `order_id`, 2 `psp_ref`, 1 `order`, 0 `ref`."""
    plain = normalise(re.split(r"[./]", name)[-1])
    if plain in GENERIC_NAMES:
        return 0
    if plain in CANONICAL or plain.endswith(("id", "uuid", "guid")):
        return 3
    return 2 if plain.endswith(("ref", "reference", "number", "no")) and len(plain) > 3 else 1


VALUE_PATTERNS: dict[str, str] = {
    # W3C Trace Context, section 3.2: version "-" trace-id "-" parent-id "-" flags
    "traceparent": r"^[0-9a-fA-F]{2}-([0-9a-fA-F]{32})-",
    # B3 single header: {TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}
    "b3": r"^([0-9a-fA-F]{16,32})-[0-9a-fA-F]{16}",
    # AWS X-Ray: Root=1-67891233-abcdef012345678912345678;Parent=...
    "xamzntraceid": r"Root=([0-9a-fA-F-]+)",
    "xcloudtracecontext": r"^([0-9a-fA-F]{32})/",
    "ubertraceid": r"^([0-9a-fA-F]{16,32}):",
}
"""Normalised field names whose values hold the id as a part."""

IGNORED_VALUES = (
    "-",
    "--",
    "0",
    "null",
    "none",
    "nil",
    "undefined",
    "n/a",
    "na",
    "nan",
    "true",
    "false",
    "unknown",
    "?",
    "{}",
    "[]",
)
"""Values that stand for "there is none"; they never link."""


def ignored(values: pl.Expr) -> pl.Expr:
    """Which values say nothing: null, empty, the ignore list, nil UUIDs and other rows of zeros.

    Args:
        values: String column, already stripped.
    """
    return (
        values.is_null()
        | (values.str.len_bytes() == 0)
        | values.str.to_lowercase().is_in(IGNORED_VALUES)
        | values.str.contains(r"^[0\-]+$")
    )


def given_key(text: str) -> tuple[Key, str | None]:
    """A key as the user types it: `NAME=REGEX` with one capture group.

    Args:
        text: Name and Rust regex.

    Returns:
        The key, and a notice in words if the regex will not tell values apart, else None.

    Raises:
        PlanError: No name, a regex that does not compile, or one without exactly one group.
    """
    name, separator, pattern = text.partition("=")
    name = name.strip()
    if not separator or not re.fullmatch(r"[A-Za-z_@][\w.@-]*", name) or not pattern:
        raise PlanError(f"--key {text!r} is not NAME=REGEX", mend="write it like order_id='order=(\\w+)'")
    key = check_pattern(Key(name=name, pattern=pattern, origin="user", why="strong: given by the user"))
    notice = f"key {name}: its pattern matches any text, so every record would hold it" if fits_all(pattern) else None
    return key, notice


def fits_all(pattern: str) -> bool:
    """Whether a regex with one capture group finds something in any text."""
    return bool(pl.Series(["a", "lorem ipsum 12", "{}"]).str.extract(pattern, 1).is_not_null().all())


def check_pattern(key: Key) -> Key:
    """The key itself, if its pattern can be used.

    Raises:
        PlanError: It does not compile or has no or several capture groups.
    """
    if key.shape is not None:
        try:
            pl.Series([""]).str.contains(key.shape)
        except pl.exceptions.PolarsError:
            raise PlanError(
                f"the shape of key {key.name} does not compile", mend="write it in Rust's regex syntax"
            ) from None
    for pattern in key.patterns:
        _check(key.name, pattern)
    return key


def _check(name: str, pattern: str) -> None:
    mend = "write it in Rust's regex syntax with one group in ( )"
    try:
        groups = pl.select(pl.lit("").str.extract_groups(pattern)).to_series().dtype
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError as problem:
        said = [line for line in str(problem).splitlines() if line.startswith("error:")]
        first = said[0].removeprefix("error: ") if said else "it is no regex"
        raise PlanError(f"the pattern of key {name} does not compile: {first}", mend=mend) from None
    count = len(groups.fields) if isinstance(groups, pl.Struct) else 0
    if count != 1:
        raise PlanError(f"the pattern of key {name} has {count} capture groups, not one", mend=mend)


def named_key(name: str, fields: tuple[str, ...], origin: Origin = "user") -> Key:
    """A key that the user names without a pattern: the fields whose normalised name it is."""
    plain = normalise(name)
    wanted = CANONICAL.get(plain, snake_case(name))
    same = tuple(f for f in fields if normalise(f) == plain or CANONICAL.get(normalise(f)) == wanted)
    klass: KeyClass = "scoped" if is_scoped_name(name) else "strong"
    return Key(name=name, klass=klass, fields=same or (name,), origin=origin, why=f"{klass}: named by the user")


def with_class(key: Key, klass: KeyClass, why: str) -> Key:
    """The key in another class, with the reason."""
    return replace(key, klass=klass, why=why)
