"""Answers from a server on another computer of the person's own network: off until the person turns it on."""
