export async function mistral(prompt: string): Promise<string> {
  const { mistralKey } = useRuntimeConfig();
  const answer = await $fetch<any>('https://api.mistral.ai/v1/chat/completions', {
    method: 'POST',
    headers: { Authorization: `Bearer ${mistralKey}` },
    body: { model: 'mistral-small-latest', messages: [{ role: 'user', content: prompt }] },
  });
  return answer.choices[0].message.content;
}
