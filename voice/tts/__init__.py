"""Text to speech: backends behind `voice.types.Synthesizer`, and what makes text speakable."""
