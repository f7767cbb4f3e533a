import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import escapeHtml from 'escape-html';
import { Router } from 'express';
import { db } from '../db.js';

export const diary = Router();
const run = promisify(execFile);
const PHOTOS = path.resolve('photos');
const SIZES = { small: '200x200', large: '1200x1200' };
const SORT = { newest: 'day DESC', oldest: 'day ASC' };

diary.get('/', (req, res) => {
  const order = SORT[req.query.sort] ?? SORT.newest;
  const rows = db.prepare(`SELECT id, day, text FROM entries WHERE user_id = ? ORDER BY ${order} LIMIT 100`).all(req.session.userId);
  res.json(rows);
});

diary.get('/print/:id', (req, res) => {
  const entry = db.prepare('SELECT day, text FROM entries WHERE id = ? AND user_id = ?').get(Number(req.params.id), req.session.userId);
  if (!entry) return res.sendStatus(404);
  return res.send(`<!doctype html><h1>${escapeHtml(entry.day)}</h1><p>${escapeHtml(entry.text)}</p>`);
});

diary.get('/photo/:name', async (req, res) => {
  const file = path.resolve(PHOTOS, req.params.name);
  if (!file.startsWith(PHOTOS + path.sep)) return res.sendStatus(404);
  const size = SIZES[req.query.size];
  if (!size) return res.sendFile(file);
  const { stdout } = await run('convert', [file, '-resize', size, 'jpg:-'], { encoding: 'buffer' });
  return res.type('jpg').send(stdout);
});

diary.post('/', (req, res) => {
  const text = String(req.body.text ?? '').slice(0, 5000);
  db.prepare('INSERT INTO entries (user_id, day, text) VALUES (@user, @day, @text)').run({
    user: req.session.userId,
    day: new Date().toISOString().slice(0, 10),
    text,
  });
  res.status(201).json({ ok: true });
});
