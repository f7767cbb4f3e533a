const OpenAI = require('openai');

const openai = new OpenAI();

async function ask(prompt) {
  const response = await openai.responses.create({ model: 'gpt-4.1-mini', input: prompt, max_output_tokens: 300 });
  return response.output_text;
}

const chartCode = (wish) => ask(`Body of a JavaScript function(data) that returns a Vega spec. Wish: ${wish}`);

const sources = async (topic) => (await ask(`Five URLs with data on ${topic}, one a line`)).split('\n');

module.exports = { ask, chartCode, sources };
