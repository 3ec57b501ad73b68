-- Paging of the context window: summaries that stand for older messages, recalled passages (parts of kind recall),
-- and messages that a person took out of the window.

ALTER TABLE messages ADD COLUMN excluded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parts ADD COLUMN source TEXT NOT NULL DEFAULT '';      -- recall: the message it was taken from
ALTER TABLE parts ADD COLUMN origin TEXT NOT NULL DEFAULT '';      -- recall: user, assistant or document

-- The messages stay where they are. A summary counts while its last message is on the shown path.
CREATE TABLE summaries (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    first_message_id TEXT NOT NULL,
    last_message_id TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at REAL NOT NULL,
    edited INTEGER NOT NULL DEFAULT 0,
    undone_at REAL                            -- the messages themselves are used again since
) STRICT;
CREATE INDEX summaries_by_conversation ON summaries (conversation_id, created_at);
