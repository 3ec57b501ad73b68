"""How fast this computer is at what Hearth does, measured on the person's own machine. No window, no Qt."""
