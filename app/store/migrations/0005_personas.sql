-- A conversation remembers its persona and the saved version of it that answers. Keyed knowledge that a question called
-- is a part of kind keyed, with JSON in its text.

ALTER TABLE conversations ADD COLUMN persona TEXT NOT NULL DEFAULT '';              -- its short name
ALTER TABLE conversations ADD COLUMN persona_version INTEGER NOT NULL DEFAULT 0;    -- number in its folder
