"""`python -m tests.soak actions [--rounds N] [--orders N] [--shop] [--seed N]`: kills a watch, and counts what came.

`python -m tests.soak kills [--rounds N] [--rate N] [--seed N] [--memory SIZE]` kills a watch, its receiver, or both, under a steady
stream: exit 1 if anything does not add up.

`python -m tests.soak live [--rounds N] [--seed N]` makes logs of fresh seeds, replays them to a watch by each transport in
turn, and compares what it told with the truth: exit 1 if they differ.

`python -m tests.soak keys [--only records.]` presses every key of the keymap and runs every command over hostile logs:
exit 1 if anything of them reaches the terminal.

`python -m tests.soak steady [--minutes 10] [--rate 10000] [--retain SIZE]` sends at a steady rate and tells every 30 s what
a watch holds in memory: exit 1 if something is lost.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.soak import keys, kills, live, steady
from tests.soak.actions import Outcome, payments, shop_messages, soak


def main() -> int:
    """Run the soak that is named; exit code 1 if something was lost or came twice."""
    if sys.argv[1:2] == ["kills"]:
        return kills.main(sys.argv[2:])
    if sys.argv[1:2] == ["live"]:
        return live.main(sys.argv[2:])
    if sys.argv[1:2] == ["keys"]:
        return keys.main(sys.argv[2:])
    if sys.argv[1:2] == ["steady"]:
        return steady.main(sys.argv[2:])
    parser = argparse.ArgumentParser("python -m tests.soak", epilog="or kills, live, keys, steady; see their --help")
    parser.add_argument("soak", choices=("actions",))
    parser.add_argument("--rounds", type=int, default=20, help="kills")
    parser.add_argument("--orders", type=int, default=400, help="half of which fail silently")
    parser.add_argument("--shop", action="store_true", help="the sample shop instead")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    with tempfile.TemporaryDirectory(prefix="logscope-soak-") as name:
        folder = Path(name)
        world = shop_messages(folder) if given.shop else payments(given.orders)
        outcome = soak(world, folder, rounds=given.rounds, seed=seed)
    print(f"seed {seed}: {outcome}")
    return 0 if outcome.good else 1


__all__ = ["Outcome", "main"]

if __name__ == "__main__":
    sys.exit(main())
