"""Measurements against a peer or a limit in the same run; never a pass or fail by the clock."""
