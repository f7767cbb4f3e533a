const express = require('express');
const vm = require('vm');
const { Pool } = require('pg');
const { ask, chartCode, sources } = require('./lib/llm');
const { withKey } = require('./lib/with-key');

const app = express();
const pool = new Pool({ connectionString: process.env.DATABASE_URL });
app.set('view engine', 'ejs');
app.use(express.json({ limit: '10kb' }));
app.use('/api', withKey);

app.get('/', (req, res) => res.render('index', { title: 'Data, drawn' }));

app.post('/api/query', async (req, res) => {
  const question = String(req.body.question).slice(0, 300);
  const sql = await ask(`Postgres query, SQL only: ${question}`);
  const { rows } = await pool.query(sql);
  res.json({ rows: rows.slice(0, 500) });
});

app.post('/api/chart', async (req, res) => {
  const code = await chartCode(String(req.body.wish).slice(0, 300));
  const draw = new Function('data', code);
  res.json(draw(req.body.data));
});

app.post('/api/transform', async (req, res) => {
  const expression = await ask(`One JavaScript expression over rows: ${String(req.body.wish).slice(0, 300)}`);
  res.json(vm.runInNewContext(expression, { rows: req.body.rows }));
});

app.post('/api/enrich', async (req, res) => {
  const urls = await sources(String(req.body.topic).slice(0, 100));
  const pages = await Promise.all(urls.map((url) => fetch(url).then((r) => r.text())));
  res.json({ pages: pages.map((p) => p.slice(0, 1000)) });
});

app.get('/api/tables/:name', async (req, res) => {
  const tables = { sales: 'sales_2024', visits: 'visits_daily' };
  if (!Object.hasOwn(tables, req.params.name)) return res.sendStatus(404);
  const { rows } = await pool.query(`SELECT * FROM ${tables[req.params.name]} LIMIT $1`, [100]);
  return res.json(rows);
});

app.post('/api/calc', (req, res) => {
  res.json({ value: eval(req.body.formula) });
});

app.listen(process.env.PORT || 3000);
