"""The parser process and its client: foreign files end here, under limits."""
