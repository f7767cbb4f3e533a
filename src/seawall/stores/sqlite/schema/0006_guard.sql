-- Which profile of the guard a key states; none for that of everybody.
ALTER TABLE keys ADD COLUMN guard TEXT;
