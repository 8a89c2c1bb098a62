"""Sigma detection rules: pySigma parses them, what is here evaluates them over record frames."""
