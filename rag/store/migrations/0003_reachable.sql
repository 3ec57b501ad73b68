-- A source whose folder or drive is not there just now keeps its files. `mounted`: a drive was attached at its folder.
ALTER TABLE source ADD COLUMN reachable INTEGER NOT NULL DEFAULT 1;
ALTER TABLE source ADD COLUMN mounted INTEGER NOT NULL DEFAULT 0;
