"""Twenty everyday questions on real logs, by keys alone: `python -m tests.tui.questions --data DIR [NUMBER...]`.

Each is asked of the real program by its keys, and what the answer says must stand on the screen. `--shots FOLDER` saves the
last screen of each, `--write FILE` the page docs/questions.md. DIR holds `loghub/OpenSSH` and `nezha`, as published.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

import sample_logs
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp
from tests.tui.conftest import NAMES
from tests.tui.shots import settle, slim

SIZE = (100, 30)
SIGNS = NAMES | {
    ">": "greater_than_sign", "<": "less_than_sign", "=": "equals_sign", ";": "semicolon", "@": "at", "#": "number_sign",
    "(": "left_parenthesis", ")": "right_parenthesis", '"': "quotation_mark", "'": "apostrophe", "_": "underscore",
    ",": "comma", "|": "vertical_line", "⏎": "enter", "⌫": "backspace", "↓": "down", "Tab": "tab", "Esc": "escape",
    "[": "left_square_bracket", "]": "right_square_bracket", "?": "question_mark",
}  # fmt: skip
"""Keys as the page shows them, and as Textual calls them."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the keys that answer it."""

    ask: str
    data: str
    keys: tuple[str, ...]
    """A key each; what begins with a blank is typed."""
    answer: str
    told: tuple[str, ...]
    """What stands on the screen then."""


WHO, WHEN, OFTEN, WHAT = "Who", "When", "How often, how long", "What happened, what changed"
QUESTIONS: dict[str, tuple[Question, ...]] = {
    WHO: (
        Question(
            "Who tries to log in most?", "sshd", ("f", "f", " client_ip", "⏎"),
            "183.62.140.253, in 580 of 1,184 records with an address; then 187.141.143.180, in 269",
            ("183.62.140.253", "580", "187.141.143.180", "269"),
        ),
        Question(
            "As which users does that one try?", "sshd", ("f", "f", " client_ip", "⏎", "i", "f", " user", "⏎"),
            "root 276 times (94 %), nine others", ("root", "276", "94%", "10 values"),
        ),
        Question(
            "Which names do not exist, by how often?", "sshd",
            (";", " SELECT \"fields.user\" AS u, COUNT(*) AS n FROM records WHERE message LIKE 'Invalid%' GROUP BY u ORDER BY n DESC", "⏎"),
            "admin 21 times, support and oracle 6; 57 names. Enter there shows the records of a name",
            ("admin", "21", "oracle", "row 1 of 57"),
        ),
        Question(
            "Did anyone get in?", "sshd", ("&", " Accepted", "⏎"),
            "one record: fztu, from 119.137.62.142", ("Accepted password for fztu from 119.137.62.142", "(1)"),
        ),
        Question(
            "Which service says most?", "boutique", ("f",),
            "productcatalogservice 41 %, currencyservice 32 %", ("productcatalogservice", "41%", "currencyservice", "32%"),
        ),
        Question(
            "Who logs errors?", "train", ("&", " level>=error", "⏎", "f"),
            "ts-food-service 12, ts-preserve-service 9, ts-travel2-service 8, ts-execute-service 7",
            ("ts-food-service", "12", "ts-preserve-service", "ts-travel2-service", "ts-execute-service"),
        ),
    ),
    WHEN: (
        Question(
            "When did the attack of 183.62.140.253 begin and end?", "sshd", ("&", " 183.62.140.253", "⏎"),
            "10:54:27 – 11:04:43, at the end of the strip; `G` goes to the last record", ("10:54:27 – 11:04:43",),
        ),
        Question(
            "When was it worst?", "sshd", ("&", " Failed password", "⏎", "G", "z", "z"),
            "from 10:54 on; every `z` halves the time round the record, `Z` goes out again", ("❯ Failed password (", "◷"),
        ),
        Question(
            "When was the first error of each service?", "train",
            (";", " SELECT service, COUNT(*) AS n, MIN(time) AS first FROM records WHERE level = 'error' GROUP BY service ORDER BY first", "⏎"),
            "ts-food-service, 08:48:42.468", ("ts-food-service", "08:48:42.468"),
        ),
        Question(
            "What came in the minute before the end of the attack?", "sshd", ("&", " Failed password", "⏎", "G", "m", "a", "⌫", "("),
            "the cursor stands at 11:03:45; `'` `a` goes back to the mark", ("▸  11:03:45", "all (2,000)"),
        ),
    ),
    OFTEN: (
        Question(
            "How often per user, of failed logins only?", "sshd", ("&", " Failed password", "⏎", "f", "f", " user", "⏎"),
            "root 368 times; counts follow the trail", ("root", "368"),
        ),
        Question(
            "Which requests took longest?", "boutique", ("T", ">"),
            "36.8 s; p50 5.7 s, p95 34.2 s below", ("36.8 s", "p50 5.7 s", "p95 34.2 s"),
        ),
        Question(
            "How is a number spread?", "shop", ("f", "f", " amount", "⏎"),
            "least, p50, p95 and most, above the values", ("p50", "p95", "amount"),
        ),
        Question(
            "How much could not be parsed?", "boutique", ("@",), "0 in every file, in the column *unparsed*",
            ("unparsed", "parsed 7,260"),
        ),
    ),
    WHAT: (
        Question(
            "What happened around that login?", "sshd", ("&", " Accepted", "⏎", "5", "r"),
            "five records before and five after it, marked `╎`", ("╎", "Accepted password for fztu", "row 6 of 11"),
        ),
        Question(
            "What else did the failing request do, in all services?", "train", ("e", "*", "1"),
            "12 records, with the time between them: from food to trains, travel, routes and station food", ("❯ * trace_id", "(12)", "+29 ms"),
        ),
        Question(
            "Where did it wait?", "train", ("e", "t"),
            "27 % of it, 29 ms, from the travel to the station food service; `◷` stands at each record that was waited for",
            ("waited for ◷ 27% 29 ms from ts-travel-service", "held by trace_id"),
        ),
        Question(
            "What is in this record?", "train", ("e", "p"), "all of it, its JSON with an indent, under it", ('│   "stream": "stdout"',),
        ),
        Question(
            "Which records hold two things at once?", "sshd",
            ("a", " root: root", "⏎", "a", " attacker: 183.62.140.253", "⏎", "/", " 183.62.140.253 root", "⏎"),
            "both are painted, each in its colour, and `/` goes from one that holds both to the next with `n`",
            ("■ root", "■ attacker", "183.62.140.253"),
        ),
        Question(
            "What changed in the slowest, compared with a normal one?", "train", ("T", ">", "="),
            "beside its nearest normal peer 1 step is missing (`−`), 4 are extra (`+`), 7 slower (`▲`): the order service took "
            "104 ms for the tickets left, not 6",
            ("beside", "− 1 missing", "+ 4 extra", "▲ 7 slow", "+104 ms"),
        ),
    ),
}  # fmt: skip

SETS = {
    "sshd": ("loghub/OpenSSH/OpenSSH_2k.log",),
    "train": ("nezha/train-ticket/*/*_pods/*",),
    "boutique": ("nezha/online-boutique/2022-08-22_0519/05_19_pods/*",),
}
HEAD = """# Twenty everyday questions

Asked of real logs, answered by keys alone in a terminal of 100 columns. *sshd* is the OpenSSH sample of
[LogHub](https://github.com/logpai/loghub) (2,000 lines), *train* and *boutique* are Train Ticket (49 files, 4,384 records)
and Online Boutique (10 files, 7,260 records) of [Nezha](https://github.com/IntelligentDDS/Nezha), a file per pod as
[walkthrough-nezha.md](walkthrough-nezha.md) makes them; *shop* are the sample logs, which `logscope demo` opens. The keys
are the same on your own: an `auth.log` for *sshd*, the pods of one namespace for the others. `⏎` is Enter; in a list that
opens one types a part of a name. `python -m tests.tui.questions --data DIR` asks all of them of the real program, looks
whether the answers are on the screen, and with `--shots` and `--write` makes the pictures and this page.
"""
TAIL = """
What was found is there tomorrow: `#` writes a note on the record, `m` marks it, and the same files open as they were left.
"""


def everything() -> list[tuple[str, Question]]:
    """All questions with their head, in order."""
    return [(head, one) for head, some in QUESTIONS.items() for one in some]


def opened(data: Path, name: str) -> Session:
    """A session over a set of logs, without rules."""
    if name == "shop":
        found = sorted(Path(os.path.relpath(Path(sample_logs.__file__).parent)).glob("*.log.gz"))
    else:
        found = sorted(path for pattern in SETS[name] for path in data.glob(pattern))
    if not found:
        sys.exit(f"{name}: no files under {data}")
    session = Session(Options(sources=tuple(map(str, found)), cache=False))
    session.open()
    session.start()
    return session


async def type_keys(pilot: Pilot[int], session: Session, keys: tuple[str, ...]) -> None:
    """Press them, and wait after each as a person would."""
    for key in keys:
        if key.startswith(" ") and len(key) > 1:
            for sign in key[1:]:
                await pilot.press(SIGNS.get(sign, sign))
        else:
            await pilot.press(SIGNS.get(key, key))
        await settle(pilot, session)


async def answered(session: Session, question: Question, picture: Path | None) -> list[str]:
    """What of the answer is not on the screen."""
    app = LogscopeApp(session, theme="dark", keymap="default", zone="UTC")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot, session)
        await type_keys(pilot, session, question.keys)
        text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        missing = [one for one in question.told if one not in text]
        if picture is not None:
            picture.write_text(slim(app.export_screenshot(title=question.ask)), encoding="utf-8")
        if missing:
            print(text)
        return missing


def page(pictures: str) -> str:
    """The page: a table per head, the keys, the answer, and a picture of each."""
    out, number = [HEAD], 0
    for head, some in QUESTIONS.items():
        out += ["", f"## {head}", "", "| | question | keys | answer |", "|---|---|---|---|"]
        for one in some:
            number += 1
            keys = " ".join(f"`{key.strip()}`" for key in one.keys)
            out.append(
                f"| [{number}]({pictures}/question-{number:02}.svg) | {one.ask} (*{one.data}*) | {keys} | {one.answer} |"
            )
    return "\n".join(out) + "\n" + TAIL


def main() -> int:
    """Ask them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", type=int)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = "/nonexistent"
    if asked.shots:
        asked.shots.mkdir(parents=True, exist_ok=True)
    failed = 0
    all_ = everything()
    for name in dict.fromkeys(one.data for _, one in all_):
        wanted = [
            (n, one)
            for n, (_, one) in enumerate(all_, 1)
            if one.data == name and (not asked.numbers or n in asked.numbers)
        ]
        if not wanted:
            continue
        session = opened(asked.data, name)
        try:
            for number, one in wanted:
                picture = asked.shots / f"question-{number:02}.svg" if asked.shots else None
                missing = asyncio.run(answered(session, one, picture))
                print(
                    f"{'✖' if missing else '✔'} {number:2} {one.ask}" + (f"   not there: {missing}" if missing else ""),
                    flush=True,
                )
                failed += bool(missing)
        finally:
            session.close()
    if asked.write:
        asked.write.write_text(page("screenshots"), encoding="utf-8")
    print(f"{failed} of {len(all_)} not answered")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
