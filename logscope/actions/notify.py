"""The action `notify`: whatever apprise can reach, from desktop to chat; an extra, loaded when used."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from logscope.actions.base import Failed
from logscope.actions.event import Event
from logscope.actions.secret import Hidden, Secret
from logscope.actions.settings import Reader
from logscope.errors import ConfigError
from logscope.templating import Template
from logscope.text import clean

_KINDS = {"informational": "info", "low": "info", "medium": "warning", "high": "failure", "critical": "failure"}


class NotifySender:
    """Notifies people.

    Args:
        urls: Of apprise, usually secrets.
        title: Of each notification.
        message: Its text.
    """

    TRIES = 12
    FLOOD = "60/m"

    def __init__(self, urls: Sequence[Secret], title: Template, message: Template) -> None:
        """Nothing is loaded yet."""
        self._urls = tuple(urls)
        self._title = title
        self._message = message
        self._hidden = Hidden()
        self._apprise: Any = None
        self.batch = 1
        self.patient = True
        self.target = ", ".join(
            url.text if url.is_secret else f"{url.text.partition('://')[0]}://…" for url in self._urls
        )

    @classmethod
    def read(cls, table: Reader) -> NotifySender:
        """From its settings.

        Raises:
            ConfigError: A setting that cannot be used.
        """
        urls = [table.secret("urls", text) for text in table.texts("urls")]
        for url in urls:
            if not url.is_secret and "://" not in url.text:
                raise table.error("urls", "holds something that is no URL of apprise", 'for example "env:NOTIFY_URL"')
        return cls(urls, table.template("title", "{level}: {title}"), table.template("message", "{message}"))

    def open(self, origin: str) -> None:
        """Load apprise and give it the URLs.

        Raises:
            ConfigError: It is not installed, or does not know a URL.
        """
        first = self._urls[0]
        try:
            module = import_module("apprise")
        except ImportError as error:
            raise ConfigError(
                f"{first.setting}: notify needs apprise, which is not installed", first.where, first.line,
                mend="pip install 'logscope-tui[notify]'",
            ) from error  # fmt: skip
        # What it would say by itself may hold a URL, and so a secret.
        log = logging.getLogger("apprise")
        log.propagate = False
        log.addHandler(logging.NullHandler())
        self._hidden = Hidden()
        self._apprise = module.Apprise()
        for url in self._urls:
            if not self._apprise.add(self._hidden.reveal(url)):
                raise ConfigError(
                    f"{url.setting}: apprise does not know such a URL", url.where, url.line,
                    mend="see apprise's list of services",
                )  # fmt: skip

    def send(self, events: Sequence[Event]) -> None:
        """Notify of each.

        Raises:
            Failed: A service did not take it; all of them are tried again.
        """
        for event in events:
            data = event.data()

            def text(template: Template, event: Event = event, data: dict[str, Any] = data) -> str:
                return clean(template.render(lambda name: event.lookup(data, name)), lines=True)

            done = self._apprise.notify(
                body=text(self._message),
                title=text(self._title).replace("\n", " "),
                notify_type=_KINDS.get(str(data.get("level")), "info"),
                body_format="text",
                interpret_escapes=False,
            )
            if not done:
                raise Failed("a service did not take it")

    def close(self) -> None:
        """Services end by their own timeouts."""
