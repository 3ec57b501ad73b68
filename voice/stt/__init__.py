"""Speech to text: backends behind `voice.types.Transcriber`, and what they share."""
