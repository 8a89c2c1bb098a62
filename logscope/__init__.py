"""An interactive terminal log investigator."""

__version__ = "0.1.0"
