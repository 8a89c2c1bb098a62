"""A session that runs unattended: watching, deciding, telling once, dispatching, metrics."""
