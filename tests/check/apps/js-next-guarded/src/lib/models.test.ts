import { expect, test, vi } from 'vitest';

vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-test-key-000000000000000000');

test('the fast model is the small one', async () => {
  const { pickModel } = await import('./models');
  expect(pickModel('fast').modelId).toContain('haiku');
});
