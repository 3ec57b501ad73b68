"""Documents to passages to citations. Knows no Qt and no voice."""
