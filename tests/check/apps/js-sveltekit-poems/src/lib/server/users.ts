import Database from 'better-sqlite3';

const db = new Database('poems.db');

export async function findUser(session: string) {
  return db.prepare('SELECT id, name FROM users WHERE session = ?').get(session) as { id: number; name: string } | undefined;
}
