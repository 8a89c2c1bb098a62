"""What happened, as messages between widgets and screens: facts in the past tense."""

from __future__ import annotations

from textual.message import Message

from logscope.engine.answers import Snapshot


class SnapshotPublished(Message):
    """The engine has news."""

    def __init__(self, snapshot: Snapshot) -> None:
        """News up to `snapshot`."""
        self.snapshot = snapshot
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest counts."""
        return isinstance(message, SnapshotPublished)


class CursorMoved(Message):
    """The cursor of a list stands elsewhere."""

    def __init__(self, rows: object, index: int) -> None:
        """The list `rows` stands at `index` now."""
        self.rows = rows
        self.index = index
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only where it stands now counts."""
        return isinstance(message, CursorMoved) and message.rows is self.rows


class RowChosen(Message):
    """Enter was pressed on a row."""

    def __init__(self, rows: object, index: int) -> None:
        """Row `index` of the list `rows`."""
        self.rows = rows
        self.index = index
        super().__init__()


class ColumnsLaid(Message):
    """The columns of a list have other widths."""

    def __init__(self, rows: object) -> None:
        """The list `rows`."""
        self.rows = rows
        super().__init__()


class FollowChanged(Message):
    """A list began or ceased to follow its end."""

    def __init__(self, following: bool) -> None:
        """Whether it follows now."""
        self.following = following
        super().__init__()


class QuerySubmitted(Message):
    """A text was entered in the bar."""

    def __init__(self, purpose: str, text: str) -> None:
        """`purpose` is what the bar was opened for."""
        self.purpose = purpose
        self.text = text
        super().__init__()


class QueryDismissed(Message):
    """The bar was closed without an answer."""


class OffersWanted(Message):
    """More is wanted below the empty line of the bar than was offered so far."""
