import cookieSession from 'cookie-session';
import cors from 'cors';
import express from 'express';
import helmet from 'helmet';
import { requireLogin } from './require-login.js';
import { ai } from './routes/ai.js';
import { diary } from './routes/diary.js';
import { session } from './routes/session.js';

export function createApp({ sessionSecret, origins }) {
  if (!sessionSecret) throw new Error('SESSION_SECRET is missing');
  const app = express();
  app.disable('x-powered-by');
  app.use(helmet());
  app.use(cors({ origin: origins, credentials: true }));
  app.use(express.json({ limit: '20kb' }));
  app.use(cookieSession({ secret: sessionSecret, httpOnly: true, secure: true, sameSite: 'lax', maxAge: 86_400_000 }));
  app.use('/session', session);
  app.use('/diary', requireLogin, diary);
  app.use('/ai', requireLogin, ai);
  app.use((error, req, res, next) => {
    console.error(error);
    res.status(500).json({ error: 'Something went wrong on our side.' });
  });
  return app;
}
