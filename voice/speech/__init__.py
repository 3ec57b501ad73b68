"""The speech process, which hears and speaks, and its client."""
