"""Placeholder."""
from logscope.tui.screens.base import InvestigatorScreen
class TransactionsScreen(InvestigatorScreen):
    pass
