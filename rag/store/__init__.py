"""library.db: the truth of what was read. Knows no format and no model."""
