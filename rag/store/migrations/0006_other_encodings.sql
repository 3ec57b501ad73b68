-- Texts in more encodings are recognised, and some were read in a wrong one or not at all: all files are read again.
UPDATE file SET state = 'waiting', fault = '' WHERE state IN ('read', 'failed');
