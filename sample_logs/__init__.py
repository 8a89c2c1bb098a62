"""The sample shop's logs and the generator that makes them (`python -m sample_logs.generate`).

Owns the story of a small web shop, its six log formats and the truth about every order. Knows nothing
of logscope, so that it can be its judge.
"""
