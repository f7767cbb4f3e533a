import assert from 'node:assert';
import { test } from 'node:test';

process.env.OPENAI_API_KEY = 'sk-test-0000000000000000000000000000000000000000';
const { createApp } = await import('../src/app.js');

test('advice needs a login', async () => {
  const app = createApp({ sessionSecret: 'only-in-tests', origins: ['http://localhost:1'] });
  const server = app.listen(0);
  const response = await fetch(`http://localhost:${server.address().port}/ai/advice`, { method: 'POST' });
  assert.equal(response.status, 401);
  server.close();
});
