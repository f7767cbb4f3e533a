const OpenAI = require('openai');
const openai = new OpenAI();

exports.recommend = async (orders) => {
  const response = await openai.chat.completions.create({
    model: 'gpt-4o-mini',
    max_tokens: 120,
    messages: [{ role: 'user', content: `Which socks go with: ${orders.map((o) => o.name).join(', ')}?` }],
  });
  return response.choices[0].message.content;
};
