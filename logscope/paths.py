"""Where logscope keeps things: configuration, state (spool, sessions), cache; and the data it ships.

Follows the XDG base directory specification on every platform, since people who work over SSH
expect it on macOS too.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _base(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default


def config_folder() -> Path:
    """The user's configuration: `logscope.toml`, `rules/`, `formats/`, `themes/`, `keymaps/`."""
    return _base("XDG_CONFIG_HOME", ".config") / "logscope"


def state_folder() -> Path:
    """What must outlive a run: the spool, what watch has told."""
    return _base("XDG_STATE_HOME", ".local/state") / "logscope"


def cache_folder() -> Path:
    """What can be made again."""
    return _base("XDG_CACHE_HOME", ".cache") / "logscope"


def private_folder(path: Path) -> Path:
    """Make `path` and what is missing above it, readable by the owner alone (0700), and return it."""
    # One by one: `mkdir(parents=True)` gives the mode to the last one only.
    for missing in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        missing.mkdir(exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def shipped(name: str) -> Path:
    """A folder that ships beside the package: `themes`, `sample_logs`.

    In a wheel it lies inside the package (`logscope/_shipped/NAME`), in a checkout at the top.
    """
    inside = PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else PACKAGE.parent / name
