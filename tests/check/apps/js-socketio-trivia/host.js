const Groq = require('groq-sdk');

const groq = new Groq({ apiKey: '{{key:groq}}' });

async function askHost(log) {
  const completion = await groq.chat.completions.create({
    model: 'llama-3.3-70b-versatile',
    messages: [{ role: 'system', content: 'You are the host of a trivia night.' }, ...log],
  });
  return completion.choices[0].message.content;
}

async function nextQuestion() {
  const completion = await groq.chat.completions.create({
    model: 'llama-3.1-8b-instant',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'One trivia question with its answer.' }],
  });
  return completion.choices[0].message.content;
}

module.exports = { askHost, nextQuestion };
