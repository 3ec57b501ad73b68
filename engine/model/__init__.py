"""Model files: what they are, whether they fit, where they lie, and how they run."""
