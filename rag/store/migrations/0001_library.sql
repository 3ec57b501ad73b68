-- collection -> source -> file -> blob -> page -> chunk -> vector, and two indexes over words.
-- A blob is what was read of some bytes: equal bytes are read and kept once, however many files hold them.

-- `owner`: the conversation or persona whose own it is; '' for one that a person made and named.
CREATE TABLE collection (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE,
    owner TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    UNIQUE (owner, name)
) STRICT;

-- What a person added: a file, a folder that is watched, or pasted text (then `path` is a file of ours).
CREATE TABLE source (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'folder', 'text')),
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    added_at REAL NOT NULL,
    UNIQUE (collection_id, path)
) STRICT;

-- `size` and `mtime_ns` as of the last look; `fault` is JSON: code, template, fields.
CREATE TABLE file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'read', 'failed')),
    blob_id INTEGER REFERENCES blob (id),
    fault TEXT NOT NULL DEFAULT '',
    UNIQUE (source_id, path)
) STRICT;
CREATE INDEX file_blob ON file (blob_id);
CREATE INDEX file_waiting ON file (id) WHERE state = 'waiting';

-- Chunks of a blob have the ids [first_chunk, first_chunk + n_chunks).
CREATE TABLE blob (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    title TEXT NOT NULL,
    unit TEXT NOT NULL,
    media_type TEXT NOT NULL,
    language TEXT NOT NULL,
    n_pages INTEGER NOT NULL,
    n_characters INTEGER NOT NULL,
    first_chunk INTEGER NOT NULL,
    n_chunks INTEGER NOT NULL
) STRICT;
CREATE INDEX blob_chunks ON blob (first_chunk);

-- `headings`: a JSON list of [start, level, title].
CREATE TABLE page (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    blob_id INTEGER NOT NULL REFERENCES blob (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    label TEXT NOT NULL,
    first_line INTEGER NOT NULL,
    headings TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (blob_id, number)
) STRICT;

CREATE TABLE hidden (
    blob_id INTEGER NOT NULL REFERENCES blob (id) ON DELETE CASCADE,
    page INTEGER NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX hidden_blob ON hidden (blob_id);

-- Characters [start, stop) of the page's text (substr counts from 1). `digest` names the text that is embedded.
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    page_id INTEGER NOT NULL REFERENCES page (id) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    section TEXT NOT NULL,
    language TEXT NOT NULL,
    letters INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE INDEX chunk_page ON chunk (page_id);
CREATE INDEX chunk_digest ON chunk (digest);

CREATE TABLE embedder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    dimensions INTEGER NOT NULL
) STRICT;

-- float16, little-endian.
CREATE TABLE vector (
    embedder_id INTEGER NOT NULL REFERENCES embedder (id) ON DELETE CASCADE,
    digest BLOB NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (embedder_id, digest)
) STRICT, WITHOUT ROWID;

CREATE VIEW chunk_text AS
SELECT chunk.id AS id, blob.title || ' ' || chunk.section AS header,
       substr(page.text, chunk.start + 1, chunk.stop - chunk.start) AS body, chunk.letters AS letters
FROM chunk JOIN page ON page.id = chunk.page_id JOIN blob ON blob.id = page.blob_id;

-- Words, with their endings cut off; and fragments of three letters for scripts that put no space between words.
CREATE VIRTUAL TABLE words USING fts5 (
    header, body, content = 'chunk_text', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE letters USING fts5 (
    header, body, content = 'chunk_text', content_rowid = 'id', tokenize = 'trigram'
);
