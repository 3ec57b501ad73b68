"""Conversations on disk. Knows no window and no engine process."""
