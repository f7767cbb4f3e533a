import Database from 'better-sqlite3';

export const db = new Database(process.env.DB_FILE ?? 'garden.db');
db.exec(`CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, user_id TEXT, day TEXT, text TEXT)`);
