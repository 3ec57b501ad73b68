"""Texts to vectors, by several backends behind one protocol."""
