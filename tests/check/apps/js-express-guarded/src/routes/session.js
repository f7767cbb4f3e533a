import crypto from 'node:crypto';
import { Router } from 'express';
import rateLimit from 'express-rate-limit';
import { db } from '../db.js';

export const session = Router();
const PAGES = ['/diary', '/advice'];

session.post('/', rateLimit({ windowMs: 60_000, limit: 5 }), (req, res) => {
  const { email, password } = req.body;
  const user = db.prepare('SELECT id, salt, hash FROM users WHERE email = ?').get(String(email));
  const hash = crypto.scryptSync(String(password), user?.salt ?? 'none', 64);
  if (!user || !crypto.timingSafeEqual(hash, user.hash)) return res.status(401).json({ error: 'Wrong email or password' });
  req.session.userId = String(user.id);
  const next = PAGES.includes(req.query.next) ? req.query.next : '/diary';
  return res.redirect(303, next);
});
