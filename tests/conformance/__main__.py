"""`python -m tests.conformance sigma`, `rule-vectors`, `panther`, `crowdsec`, `fail2ban`, `wazuh-ossec`, `syslog`, `sigma-correlations`, `sequences`, `templates` `correlation [--only NAME...]`, `faults` or `formats`: prints what holds; exit 1 if too much fails."""

from __future__ import annotations

import sys
from importlib import import_module

from tests.conformance.sigma import SHARED

RULES = {
    "rule-vectors": "vectors",
    "panther": "panther",
    "crowdsec": "crowdsec",
    "fail2ban": "fail2ban",
    "wazuh-ossec": "wazuh",
    "syslog": "syslog",
}
"""Suites without options, and the modules that run them."""

USAGE = f"usage: python -m tests.conformance {' | '.join(RULES)} | sigma | sigma-correlations | sequences | templates | correlation [--only NAME...] | faults [--split CSV... FOLDER] | formats [--only SUITE...] [--wrong]"


def main(arguments: list[str]) -> int:
    """Run the suite that is named.

    Returns:
        The exit code: the suite's; 1 where its data are not there, 2 for wrong usage.
    """
    if arguments[:1] not in (["sequences"], ["sigma-correlations"]) and arguments and not (SHARED / "data").is_dir():
        print(f"no data at {SHARED / 'data'}: set LOGSCOPE_SHARED to the folder that holds data/", file=sys.stderr)
        return 1
    if arguments == ["sigma"]:
        from tests.conformance import sigma

        return sigma.run()
    if arguments == ["sigma-correlations"]:
        from tests.conformance import sigma_correlations

        return sigma_correlations.run()
    if len(arguments) == 1 and arguments[0] in RULES:
        return int(import_module(f"tests.conformance.{RULES[arguments[0]]}").run())
    if arguments == ["templates"]:
        from tests.conformance import templates

        return templates.run()
    if arguments == ["sequences"]:
        from tests.conformance import sequences

        return sequences.run()
    if arguments[:1] == ["correlation"] and (len(arguments) == 1 or arguments[1] == "--only"):
        from tests.conformance import correlation

        return correlation.run(arguments[1:])
    if arguments[:1] == ["faults"]:
        from tests.conformance import faults

        return faults.run(arguments[1:])
    if arguments[:1] == ["formats"]:
        from tests.conformance import formats

        return formats.run(arguments[1:])
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
