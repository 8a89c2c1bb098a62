"""Start the investigator on an open investigation."""

from __future__ import annotations

from logscope.engine.api import Investigation


def run(
    investigation: Investigation,
    *,
    theme: str | None = None,
    keymap: str | None = None,
    title: str = "",
    zone: str | None = None,
) -> int:
    """Run the investigator until the user leaves.

    Args:
        investigation: Open and started; the caller closes it.
        theme: A theme's name.
        keymap: A keymap's name or file.
        title: Shown beside the name.
        zone: Time zone of times shown.

    Returns:
        The exit code.
    """
    from logscope.tui.app import LogscopeApp

    app = LogscopeApp(investigation, theme=theme, keymap=keymap, title=title, zone=zone)
    return app.run() or app.return_code or 0
