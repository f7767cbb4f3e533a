-- Attempts of a call, and stored responses with their items. Times in Unix seconds.

-- One line of JSON for each attempt at a provider.
ALTER TABLE calls ADD COLUMN attempts TEXT NOT NULL DEFAULT '[]';

-- Whether the settlement of this hold adds a call to the sums by hour: false after a call's first attempt.
ALTER TABLE holds ADD COLUMN counts INTEGER NOT NULL DEFAULT 1;

-- Whose stored state it is: a virtual key and the end user that it spoke for ("" where it named none). Numbers are never
-- given twice, here and below: what is being read or written cannot become somebody else's.
CREATE TABLE owners (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    key_id   TEXT    NOT NULL,
    end_user TEXT    NOT NULL,
    UNIQUE (key_id, end_user)
) STRICT;
CREATE INDEX owners_by_end_user ON owners (end_user);

-- Stored responses. `bytes` is the size of what lies in parts, unpacked and without the frames; a response that is not
-- `is_whole` is still being written, or its writer died.
CREATE TABLE responses (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    owner       INTEGER NOT NULL REFERENCES owners (number),
    id          TEXT    NOT NULL,
    previous_id TEXT,
    created_at  REAL    NOT NULL,
    expires_at  REAL    NOT NULL,
    bytes       INTEGER NOT NULL,
    is_whole    INTEGER NOT NULL,
    UNIQUE (owner, id)
) STRICT;
CREATE INDEX responses_by_expiry ON responses (expires_at);

-- What a response holds, packed and cut into parts, so that no commit is ever large.
CREATE TABLE parts (
    response INTEGER NOT NULL REFERENCES responses (number) ON DELETE CASCADE,
    kind     TEXT    NOT NULL CHECK (kind IN ('content', 'frames')),
    place    INTEGER NOT NULL,
    data     BLOB    NOT NULL,
    UNIQUE (response, kind, place)
) STRICT;

-- In which responses an item is found.
CREATE TABLE items (
    owner    INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    response INTEGER NOT NULL REFERENCES responses (number) ON DELETE CASCADE,
    PRIMARY KEY (owner, id, response)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_by_response ON items (response);
