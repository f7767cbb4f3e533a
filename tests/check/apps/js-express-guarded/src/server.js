import { createApp } from './app.js';

const app = createApp({
  sessionSecret: process.env.SESSION_SECRET,
  origins: (process.env.ORIGINS ?? 'http://localhost:5173').split(','),
});
app.listen(process.env.PORT ?? 3000);
