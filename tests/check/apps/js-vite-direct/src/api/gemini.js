import { GoogleGenerativeAI } from '@google/generative-ai';

const genAI = new GoogleGenerativeAI('{{key:google}}');
const model = genAI.getGenerativeModel({ model: 'gemini-1.5-flash', generationConfig: { maxOutputTokens: 256 } });

export async function explain(card) {
  const result = await model.generateContent(`Explain: ${card.question}`);
  return result.response.text();
}
