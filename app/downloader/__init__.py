"""The only outgoing network code of the project, in a process of its own."""
