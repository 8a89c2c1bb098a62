"""Base classes of the screens leave methods to their subclasses: every class that is used fills them all.

Textual's metaclass leaves no room for ABC, which would prove it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import logscope.tui


def _classes() -> Iterator[type]:
    """The classes that the screens' modules define."""
    for found in pkgutil.walk_packages(logscope.tui.__path__, "logscope.tui."):
        module = importlib.import_module(found.name)
        yield from (one for one in vars(module).values() if isinstance(one, type) and one.__module__ == found.name)


def _left_open(method: object) -> bool:
    """Whether a method or property does nothing but raise NotImplementedError: it names nothing else."""
    function = method.fget if isinstance(method, property) else method
    return inspect.isfunction(function) and function.__code__.co_names == ("NotImplementedError",)


def test_who_is_used_fills_what_its_bases_leave_open() -> None:
    classes = set(_classes())
    hooks = {(one, name) for one in classes for name, method in vars(one).items() if _left_open(method)}
    assert hooks
    bases = {base for one in classes for base in one.__mro__[1:]}
    open_still = [
        f"{one.__name__}.{name}"
        for one in classes - bases
        for owner, name in hooks
        if issubclass(one, owner) and _left_open(inspect.getattr_static(one, name))
    ]
    assert not open_still
