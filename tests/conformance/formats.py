"""Formats against what others read from the same texts: records, times, levels and named values.

A value counts where it stands in the text of the record; what was looked up or computed from it
(places of addresses, categories) does not apply. `values`: some column or field holds it, whatever
its name. `named`: those ECS fields that `NAMES` maps to names of ours, found under one of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from logscope.formats.assignment import FormatSet
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.records.severity import level_name
from tests.conformance import format_cases as cases
from tests.conformance.format_folders import folders

SUITES: dict[str, Callable[[], Iterator[cases.Case]]] = {
    "lnav": cases.lnav,
    "beats": cases.beats,
    "elastic-package": cases.elastic,
    "loghub": cases.loghub,
    "grok": cases.grok,
    "sekoia": cases.sekoia,
    "crowdsec": cases.crowdsec,
    "syslog": cases.syslog,
    "plaso": cases.plaso,
    "matomo": cases.matomo,
}

NAMES = {
    "source.ip": "req_remoteaddress caller_ipaddress client_ip src_ip src srcip source_ip id.orig_h remote_addr sourceIPAddress source-address"
    " client_address remote_ip c_ip clientip srcaddr sourceaddress src_addr origin_address callingip"
    " userip x-forwarded-for internalip externalip ip_src",
    "source.address": "req_remoteaddress caller_ipaddress client_ip src_ip src client remote_addr id.orig_h sourceIPAddress origin_address source-address"
    " remote_ip c_ip clientip srcaddr sourceaddress src_addr callingip userip client_address srcip"
    " source_ip shost internalip externalip ip_src",
    "source.port": "client_port src_port port spt srcport id.orig_p sport source-port sourceport remote_port"
    " origin_address clientport",
    "destination.ip": "dst_ip server_ip dst id.resp_h dstip dest_ip destination-address destinationip destaddr dstaddr"
    " server_address destinationaddress d_ip serverip",
    "destination.port": "dst_port server_port dpt dstport id.resp_p dest_port dport destination-port destinationport"
    " serverport uri_port",
    "http.request.method": "method requestmethod httpmethod cs_method http_method httprequestmethod",
    "http.response.status_code": "status status_code response sc_status statuscode httpstatus httpstatuscode edgeresponsestatus"
    " response_code",
    "http.response.body.bytes": "http_length bytes response_body_len contentlength responsebytes edgeresponsebytes",
    "http.request.referrer": "referer referrer cs_referer requestcontext httpreferer",
    "http.version": "protocol httpversion",
    "url.original": "path uri url request cs_uri requesturi requesturl httpurl uri_stem clientrequesturi",
    "user_agent.original": "agent user_agent useragent http_user_agent requestclientapplication user-agent cs_user_agent",
    "user.name": "user account username acct userIdentity.userName suser duser principal user_name login userid"
    " useremail userprincipalname loginid src_user userdisplayname unauthuser usrname targetusername"
    " subjectusername accountname",
    "process.pid": "pid processid process_id",
    "process.name": "service comm process_name processname sproc app exe image program executable",
    "process.thread.id": "tid thread thread_id threadid",
    "host.hostname": "host",
    "host.name": "host",
    "service.name": "service check",
    "log.logger": "logger",
    "message": "message msg",
    "event.action": "action act eventName event operation event_type eventtype operationname activity event_name"
    " eventaction disposition deviceaction verb",
    "event.code": "ftntfgtlogid code id event_id message_id eventid logid log_id signature_id eventtypeid msgid rule_id eventcode",
    "network.transport": "proto protocol transport ip_protocol iproto",
    "hostname": "host",
    "appname": "service",
    "programname": "service",
    "procid": "pid",
    "Pid": "pid",
    "PID": "pid",
    "Tid": "tid thread",
    "Component": "logger service",
    "Content": "message",
}
"""Names of ours, and of products whose members keep theirs, that say what ECS' name says. Compared without case and
signs; of a nested member the last parts count: `req.headers.user-agent` is `user_agent`. A name that may as well say
something else (`ip`, `remoteAddress`, `type`, `result`, `code`) is none, though products use it so."""


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())


_KEYS = {name: frozenset(_key(each) for each in [name, *words.split()]) for name, words in NAMES.items()}


def _says(ours: str, name: str) -> bool:
    """Whether a name of ours says what one of the suite's does."""
    parts = _key(ours).split(".")
    ends = {"".join(parts[place:]) for place in range(len(parts))} | {_key(ours)}
    return not ends.isdisjoint(_KEYS[name])


WRONG = {
    ("lnav", "elb_log-5", "level"): "502 is a number of bytes: a TCP listener has no status",
    ("lnav", "java_log-9", "level"): "WARN574240 is no word",
    **{
        ("beats", f"mysql.slowlog/{where}", "records"): "the line `# Time` belongs to the query whose time it tells"
        for where in (
            *("mariadb-explain.log:2", "percona-ubuntu-5.7.19-innodb.log:2", "percona-ubuntu-5.7.19-innodb.log:24"),
            *("percona-ubuntu-8.0.15.log:5", "percona-ubuntu-8.0.15.log:16"),
        )
    },
    (
        "sekoia",
        "Salesforce/salesforce-events/salesforce_apex_rest_api",
        "time",
    ): "2034: TIMESTAMP and TIMESTAMP_DERIVED say 2024",
    (
        "sekoia",
        "Umbrella/umbrella-proxy/3",
        "time",
    ): "the test's line was folded within its values, its time among them",
    (
        "sekoia",
        "Squid/squid/common_log_format_1",
        "time",
    ): "day before month, as Olfeo's lines of the same layout have it",
    ("sekoia", "Azure/azure-ad/sign-in_activity3", "level"): "Azure's level 4 is Informational, not syslog's 4",
    ("plaso", "suricata_alert_fast.log:1", "time"): "Snort writes month, day and year, not the year first",
    ("plaso", "postgresql.log:22", "time"): "23:04:27 AEST is ten hours before that in UTC",
    ("plaso", "sccm_various.log:1", "time"): "the minutes behind a time are added for UTC: 19:33-330 is 14:03",
    ("plaso", "iis/iis10_edge_cases.log", "time"): "no line of the file has that time",
    ("syslog", "go-syslog-179", "level"): "the body is an access log whose status, 301, wins over the priority",
}
"""What a suite says and we do not follow, with the reason: at most 2 % of it."""
SKIPPED = {"event.original", "log.original", "ecs.version", "input.type", "service.type", "event.module"}


@dataclass
class Score:
    """Counts of one suite: (agree, of)."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    suite: str = ""
    case: str = ""
    """The case at hand."""
    line: int = 0
    """Of its record at hand, from one; 0: none."""

    def add(self, what: str, right: bool, why: str) -> None:
        """Count one comparison."""
        if {(self.suite, self.case, what), (self.suite, f"{self.case}:{self.line}", what)} & set(WRONG):
            self.counts["called wrong"] += 1
            return
        self.counts[what] += 1
        if right:
            self.counts["+" + what] += 1
        else:
            self.wrong.append(f"{what}: {why}")

    def cell(self, what: str) -> str:
        """`agree of all (share)` for the table."""
        whole, right = self.counts[what], self.counts["+" + what]
        return f"{right} of {whole} ({right / whole:.1%})" if whole else "-"


def records_of(known: FormatSet, case: cases.Case) -> dict[int, dict[str, Any]]:
    """Our records by the number of their first line: columns, and all fields."""
    lines = pl.Series(list(case.lines), dtype=pl.String)
    newest = max((each.time for each in case.records if each.time), default=datetime(2026, 1, 1, tzinfo=UTC))
    assignment = detect(known, [line for line in case.lines if line][:2000], name=case.name)
    reference = int((newest + timedelta(hours=12)).timestamp() * 1_000_000)
    parser = make_parser(assignment, zone=case.zone, reference_us=reference, source_name="")
    starts = parser.starts(lines)
    starts[0] = True
    frame = pl.DataFrame({"line": lines, "at": range(len(lines)), "record": starts.cum_sum()})
    grouped = frame.group_by("record", maintain_order=True).agg(pl.col("line").str.join("\n"), pl.col("at").first())
    raw = grouped["line"]
    index = parser.index(raw)
    columns = parser.columns(raw, ["host", "service", "pid", "message"])
    fields = parser.fields(raw)
    out = {}
    for row, at in enumerate(grouped["at"]):
        found = {name: columns[name][row] for name in columns.columns if columns[name][row] is not None}
        found |= {pair["name"]: pair["value"] for pair in reversed(fields[row]) if pair["name"] not in found}
        found["@time"] = index["time"][row]
        found["@level"] = level_name(index["level"][row])
        found["@raw"] = raw[row]
        found["@format"] = parser.formats[index["format"][row]]
        out[at] = found
    return out


def _same(ours: object, theirs: str) -> bool:
    text = str(ours).strip()
    if text == theirs.strip():
        return True
    try:
        return float(text) == float(theirs)
    except ValueError:
        return False


def compare(case: cases.Case, ours: dict[int, dict[str, Any]], score: Score) -> None:
    """Count what of a case agrees."""
    score.line = 0
    expected_lines = {each.line for each in case.records}
    if case.counts:
        extra = sorted(set(ours) - expected_lines)
        missing = sorted(expected_lines - set(ours))
        blank = [at for at in extra if not ours[at]["@raw"].strip() or ours[at]["@raw"].startswith("#")]
        right = not missing and len(blank) == len(extra)
        score.add("files", right, f"{case.name}: records at lines {extra[:5]} too many, {missing[:5]} missing")
    for each in case.records:
        if case.within:
            each = replace(each, line=max((at for at in ours if at <= each.line), default=each.line))
        score.line = each.line + 1
        score.add("records", each.line in ours, f"{case.name}:{each.line + 1}: begins no record")
        if each.line in ours:
            _compare_record(f"{case.name}:{each.line + 1}", each, ours[each.line], score)


def _compare_record(where: str, each: cases.Expected, found: dict[str, Any], score: Score) -> None:
    if each.time is not None:
        score.add(
            "time",
            _same_time(each, found["@time"]),
            f"{where}: {found['@time']} not {each.time} [{found['@format']}] {found['@raw'][:120]}",
        )
    if each.level is not None:
        score.add(
            "level",
            found["@level"] == each.level,
            f"{where}: {found['@level']} not {each.level} [{found['@format']}] {found['@raw'][:120]}",
        )
    values = [value for name, value in found.items() if not name.startswith("@")]
    for name, value in each.values.items():
        whole = name == "message" and value == found["@raw"]
        if name in SKIPPED or value not in found["@raw"] or whole:
            continue
        if name in NAMES:
            held = [text for ours, text in found.items() if not ours.startswith("@") and _says(ours, name)]
            right = any(_same(one, value) or (name == "http.version" and _same(str(one)[5:], value)) for one in held)
            score.add("named", right, f"{where}: {name}={value!r} [{found['@format']}]")
        right = any(_same(one, value) for one in values)
        score.add("values", right, f"{where}: {name}={value!r} [{found['@format']}]")


def _same_time(each: cases.Expected, ours: datetime | None) -> bool:
    if ours is None or each.time is None:
        return False
    theirs = each.time.astimezone(UTC)
    if not each.year:
        ours = ours.replace(year=2020)
        theirs = theirs.replace(year=2020)
    # Some truths are cut to milliseconds or seconds.
    return abs((ours - theirs).total_seconds()) < (1 if not theirs.microsecond else 0.001)


def run(arguments: list[str]) -> int:
    """Run all suites, or those after `--only`; `--wrong` says each disagreement, `--json` prints objects.

    Returns:
        0, or 1 if there is no data.
    """
    if not cases.DATA.is_dir():
        print(f"no data at {cases.DATA}")
        return 1
    named = [word for word in arguments if not word.startswith("--")]
    known = load_formats()
    if not named or "folders" in named:
        folders(known, wrong="--wrong" in arguments)
        print()
    print("| suite | files whole | records | times | levels | named fields | values under any name | called wrong |")
    print("|---|---|---|---|---|---|---|---|")
    scores: dict[str, Score] = {}
    for name, load in SUITES.items():
        if named and name not in named:
            continue
        score = scores[name] = Score()
        for case in load():
            score.suite, score.case = name, case.name
            compare(case, records_of(known, case), score)
        cells = [score.cell(what) for what in ("files", "records", "time", "level", "named", "values")]
        print(f"| {name} | {' | '.join(cells)} | {score.counts['called wrong']} |")
    if "--wrong" in arguments:
        for name, score in scores.items():
            for wrong in score.wrong:
                print(json.dumps({"suite": name, "wrong": wrong}) if "--json" in arguments else f"{name}: {wrong}")
    return 0
