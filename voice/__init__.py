"""Sound to turns to sound. Knows no Qt and no documents."""
