import Anthropic from '@anthropic-ai/sdk';

const anthropic = new Anthropic({
  apiKey: process.env.REACT_APP_ANTHROPIC_KEY,
  dangerouslyAllowBrowser: true,
});

export async function advise(question) {
  const message = await anthropic.messages.create({
    model: 'claude-3-5-sonnet-20240620',
    max_tokens: 700,
    system: 'You are a stock advisor.',
    messages: [{ role: 'user', content: question }],
  });
  return message.content[0].text;
}
