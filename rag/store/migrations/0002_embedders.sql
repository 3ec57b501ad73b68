-- Which embedder serves searches by meaning, and which one a person wants: they differ while passages are learned anew.
-- `choice` is what a person named, by which it is loaded.
ALTER TABLE embedder ADD COLUMN choice TEXT NOT NULL DEFAULT '';
ALTER TABLE embedder ADD COLUMN serves INTEGER NOT NULL DEFAULT 0;
ALTER TABLE embedder ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;
UPDATE embedder SET choice = 'light', serves = 1, wanted = 1 WHERE id = (SELECT max(id) FROM embedder);
