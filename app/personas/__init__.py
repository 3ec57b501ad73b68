"""Personas: instructions and files that turn the model into an expert; kept, versioned, bundled, and exchanged."""
