"""What other programs call a character, a model, a preset, an assistant or a skill, read as a persona and written back.

Each format's module names its source. All of it is data from strangers: read whole within caps, nothing is extracted,
fetched, decoded as pixels or run.
"""
