-- Conversations as trees of messages. Made to be read with any SQLite tool; times are seconds since 1970, UTC.

CREATE TABLE folders (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL DEFAULT '',
    title_is_automatic INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    folder_id TEXT REFERENCES folders (id) ON DELETE SET NULL,
    pinned INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL DEFAULT '[]',          -- JSON list
    active_leaf TEXT,                         -- the message that the shown path ends with
    model TEXT NOT NULL DEFAULT '',
    system_prompt TEXT NOT NULL DEFAULT '',
    sampling TEXT,                            -- JSON object; NULL: as the settings say
    source_id TEXT UNIQUE,                    -- where an imported conversation came from
    deleted_at REAL                           -- in the bin since
) STRICT;
CREATE INDEX conversations_by_time ON conversations (deleted_at, archived, pinned DESC, updated_at DESC);
CREATE INDEX conversations_by_folder ON conversations (folder_id) WHERE folder_id IS NOT NULL;

CREATE TABLE messages (
    number INTEGER PRIMARY KEY,               -- order of creation
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- Deferred and not cascading: a long path would otherwise be deleted by recursion, which SQLite caps at 1,000.
    parent_id TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    model TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    pinned INTEGER NOT NULL DEFAULT 0,
    last_child TEXT,                          -- the branch that was shown last below this message
    prompt_tokens INTEGER,                    -- what the answer cost; NULL: unknown
    cached_tokens INTEGER,
    completion_tokens INTEGER,
    n_ctx INTEGER,
    prefill_s REAL,
    decode_s REAL,
    dropped INTEGER,
    deleted_at REAL
) STRICT;
CREATE INDEX messages_by_conversation ON messages (conversation_id, parent_id, number);
CREATE INDEX messages_by_parent ON messages (parent_id);
CREATE INDEX messages_streaming ON messages (state) WHERE state = 'streaming';
CREATE INDEX messages_deleted ON messages (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE parts (
    number INTEGER PRIMARY KEY,
    message_number INTEGER NOT NULL REFERENCES messages (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,                       -- text, reasoning or attachment
    text TEXT NOT NULL,
    seconds REAL NOT NULL DEFAULT 0,          -- reasoning: how long it took
    name TEXT NOT NULL DEFAULT '',            -- attachment: file name
    media_type TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL DEFAULT 0,          -- attachment: bytes of the file
    UNIQUE (message_number, position)
) STRICT;

CREATE TABLE drafts (
    conversation_id TEXT PRIMARY KEY,         -- '' is the draft of a conversation that does not exist yet
    text TEXT NOT NULL,
    attachments TEXT NOT NULL DEFAULT '[]'    -- JSON list of objects
) STRICT;

-- What search finds: one row for each title (message_id NULL) and each finished message. The triggers keep two
-- indexes with it: words, and for scripts without spaces and for middles of words any three characters in a row.
CREATE TABLE searchable (
    number INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    message_id TEXT UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
    title TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX searchable_titles ON searchable (conversation_id) WHERE message_id IS NULL;
CREATE INDEX searchable_by_conversation ON searchable (conversation_id);
-- Two blanks, so that the last characters of a text begin a fragment too.
CREATE VIEW searchable_padded AS SELECT number, title || body || '  ' AS text FROM searchable;
CREATE VIRTUAL TABLE words USING fts5 (
    title, body, content = 'searchable', content_rowid = 'number',
    tokenize = "porter unicode61 remove_diacritics 2", prefix = '1 2 3'
);
CREATE VIRTUAL TABLE fragments USING fts5 (
    text, content = 'searchable_padded', content_rowid = 'number', tokenize = "trigram", detail = none
);
CREATE VIRTUAL TABLE fragment_terms USING fts5vocab (fragments, row);
CREATE TRIGGER searchable_added AFTER INSERT ON searchable BEGIN
    INSERT INTO words (rowid, title, body) VALUES (new.number, new.title, new.body);
    INSERT INTO fragments (rowid, text) VALUES (new.number, new.title || new.body || '  ');
END;
CREATE TRIGGER searchable_removed AFTER DELETE ON searchable BEGIN
    INSERT INTO words (words, rowid, title, body) VALUES ('delete', old.number, old.title, old.body);
    INSERT INTO fragments (fragments, rowid, text) VALUES ('delete', old.number, old.title || old.body || '  ');
END;
CREATE TRIGGER searchable_changed AFTER UPDATE ON searchable BEGIN
    INSERT INTO words (words, rowid, title, body) VALUES ('delete', old.number, old.title, old.body);
    INSERT INTO fragments (fragments, rowid, text) VALUES ('delete', old.number, old.title || old.body || '  ');
    INSERT INTO words (rowid, title, body) VALUES (new.number, new.title, new.body);
    INSERT INTO fragments (rowid, text) VALUES (new.number, new.title || new.body || '  ');
END;

CREATE VIEW messages_readable AS
SELECT c.title AS conversation, m.number, m.role, m.state, datetime(m.created_at, 'unixepoch') AS written_at,
       (SELECT group_concat(text, char(10)) FROM (
           SELECT p.text FROM parts p WHERE p.message_number = m.number AND p.kind = 'text' ORDER BY p.position
       )) AS text
FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL
ORDER BY c.updated_at DESC, m.number;
