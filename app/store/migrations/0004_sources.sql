-- Document Q&A: which collections of the document library a conversation asks, and what was found for a question.
-- A part of kind sources holds JSON in its text: how it was found ("way"), and the numbered passages with their places.

ALTER TABLE conversations ADD COLUMN collections TEXT NOT NULL DEFAULT '[]';  -- JSON list of the library's ids
