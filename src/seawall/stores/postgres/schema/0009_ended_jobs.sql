-- Which jobs of an owner ended after a moment: those who follow theirs ask for that again and again.
CREATE INDEX jobs_ended_of_owner ON jobs (end_user, key_id, ended_at, id) WHERE ended_at IS NOT NULL;
