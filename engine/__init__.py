"""The floor everything stands on: runs a GGUF model and nothing else.

Knows no Qt, no SQLite, no torch and no network. Import from the submodules.
"""
