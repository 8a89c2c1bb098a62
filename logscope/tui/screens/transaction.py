"""Placeholder."""
from logscope.tui.screens.base import InvestigatorScreen
class TransactionScreen(InvestigatorScreen):
    pass
