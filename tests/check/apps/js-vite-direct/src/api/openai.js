import axios from 'axios';

const API_KEY = import.meta.env.VITE_OPENAI_API_KEY;

export async function makeCards(text) {
  const { data } = await axios.post(
    'https://api.openai.com/v1/chat/completions',
    {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: `Make ten flashcards as JSON from:\n${text}` }],
    },
    { headers: { Authorization: `Bearer ${API_KEY}` } },
  );
  return JSON.parse(data.choices[0].message.content);
}
