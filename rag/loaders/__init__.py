"""One module a format: a file's bytes to pages. Runs in the parser process only."""
