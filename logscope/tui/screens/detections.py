"""Placeholder."""
from logscope.tui.screens.base import InvestigatorScreen
class DetectionsScreen(InvestigatorScreen):
    pass
