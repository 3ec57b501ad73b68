-- PDF pages without text are read as scans also where the picture is small: all files are read again.
UPDATE file SET state = 'waiting', fault = '' WHERE state IN ('read', 'failed');
