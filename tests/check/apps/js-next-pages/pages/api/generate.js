import { Configuration, OpenAIApi } from 'openai';

const configuration = new Configuration({ apiKey: process.env.OPENAI_API_KEY });
const openai = new OpenAIApi(configuration);

export default async function handler(req, res) {
  if (req.method !== 'POST') return res.status(405).end();
  const { job, cv, tone } = req.body;
  try {
    const completion = await openai.createChatCompletion({
      model: 'gpt-3.5-turbo',
      messages: [
        { role: 'system', content: `You write cover letters. Tone: ${tone}` },
        { role: 'user', content: `Job: ${job}\n\nCV: ${cv}` },
      ],
    });
    res.status(200).json({ letter: completion.data.choices[0].message.content });
  } catch (error) {
    console.error(error.message);
    res.status(500).json({ error: error.message, stack: error.stack });
  }
}
