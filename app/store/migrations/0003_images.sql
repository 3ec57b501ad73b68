-- Images in messages. Their bytes are files beside this database, images/<sha256>.png or .jpg; here is what they are.

ALTER TABLE parts ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';      -- image: of its file
ALTER TABLE parts ADD COLUMN width INTEGER NOT NULL DEFAULT 0;     -- image: pixels
ALTER TABLE parts ADD COLUMN height INTEGER NOT NULL DEFAULT 0;
CREATE INDEX parts_by_image ON parts (sha256) WHERE sha256 <> '';
ALTER TABLE drafts ADD COLUMN images TEXT NOT NULL DEFAULT '[]';   -- JSON list of objects
