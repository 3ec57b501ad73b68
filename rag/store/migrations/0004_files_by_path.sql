-- Lists of files are read a part at a time, in the order of their paths.
CREATE INDEX file_path ON file (path, id);
