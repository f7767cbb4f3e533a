const headers = { Authorization: `Bearer ${process.env.OPENAI_API_KEY}`, 'Content-Type': 'application/json' };

export async function tagsFor(text: string): Promise<string[]> {
  const response = await fetch('https://api.openai.com/v1/chat/completions', {
    method: 'POST',
    headers,
    body: JSON.stringify({
      model: 'gpt-4o-mini',
      max_tokens: 40,
      messages: [{ role: 'user', content: `Three tags, comma separated, for: ${text}` }],
    }),
  });
  const json = await response.json();
  return json.choices[0].message.content.split(',');
}

export async function embed(text: string): Promise<number[]> {
  const response = await fetch('https://api.openai.com/v1/embeddings', {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'text-embedding-3-small', input: text }),
  });
  return (await response.json()).data[0].embedding;
}
