"""An OpenAI-compatible server on this computer's own loopback, off by default, on top of `app.services`."""
