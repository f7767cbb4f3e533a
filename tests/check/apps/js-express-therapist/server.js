import 'dotenv/config';
import express from 'express';
import cors from 'cors';
import OpenAI from 'openai';

const app = express();
app.use(cors());
app.use(express.json({ limit: '50mb' }));
app.use(express.static('public'));

const openai = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });
console.log('Using key', process.env.OPENAI_API_KEY);

let history = [{ role: 'system', content: 'You are Dr. Bot, a warm therapist.' }];

app.post('/api/chat', async (req, res) => {
  history.push({ role: 'user', content: req.body.message });
  try {
    const completion = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: history,
    });
    const reply = completion.choices[0].message;
    history.push(reply);
    res.json({ reply: reply.content });
  } catch (err) {
    res.status(500).send(err.stack);
  }
});

app.post('/api/reset', (req, res) => {
  history = history.slice(0, 1);
  res.json({ ok: true });
});

app.get('/api/health', (req, res) => res.send('ok'));

const port = process.env.PORT || 3000;
app.listen(port, () => console.log(`Listening on http://localhost:${port}`));
