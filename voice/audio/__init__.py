"""Sound in and sound out: devices, streams, resampling, echo. Knows no turns and no words."""
