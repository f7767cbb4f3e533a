const express = require('express');
const { exec, execFile } = require('child_process');
const { fixUntilGreen, explain } = require('./agent');
const { onlyLocal } = require('./only-local');

const app = express();
app.use(express.json());

app.post('/fix', async (req, res) => {
  const log = await fixUntilGreen(req.body.repo, req.body.goal);
  res.json({ log });
});

app.post('/clone', (req, res) => {
  exec(`git clone ${req.body.url} work/${Date.now()}`, (err) => {
    if (err) return res.status(500).json({ error: 'clone failed' });
    res.json({ ok: true });
  });
});

app.get('/status/:repo', (req, res) => {
  if (!/^[a-z0-9-]{1,40}$/.test(req.params.repo)) return res.sendStatus(400);
  execFile('git', ['-C', `work/${req.params.repo}`, 'status', '--short'], (err, stdout) => res.type('text').send(stdout));
});

app.post('/explain', onlyLocal, async (req, res) => {
  const error = String(req.body.error || '').slice(0, 4000);
  res.json({ text: await explain(error) });
});

app.listen(4000, () => console.log('http://localhost:4000'));
