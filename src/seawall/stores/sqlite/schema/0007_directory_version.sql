-- A number that goes up with every decision about keys and users, and with quotas that are given back: processes that
-- remember such decisions look at it. Calls do not move it, and neither does noting when a key was last used.
CREATE TABLE directory_version (number INTEGER NOT NULL) STRICT;
INSERT INTO directory_version VALUES (0);

CREATE TRIGGER key_added AFTER INSERT ON keys
BEGIN UPDATE directory_version SET number = number + 1; END;

CREATE TRIGGER key_changed AFTER UPDATE ON keys WHEN new.last_used_at IS old.last_used_at
BEGIN UPDATE directory_version SET number = number + 1; END;

CREATE TRIGGER key_deleted AFTER DELETE ON keys
BEGIN UPDATE directory_version SET number = number + 1; END;

CREATE TRIGGER user_added AFTER INSERT ON users
BEGIN UPDATE directory_version SET number = number + 1; END;

CREATE TRIGGER user_changed AFTER UPDATE ON users
BEGIN UPDATE directory_version SET number = number + 1; END;

CREATE TRIGGER user_deleted AFTER DELETE ON users
BEGIN UPDATE directory_version SET number = number + 1; END;
