"""The engine's own process: messages, the child's loop, and the client that owns the child."""
