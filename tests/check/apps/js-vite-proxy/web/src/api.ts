const BASE = import.meta.env.VITE_API_URL ?? 'http://localhost:8787';

export async function translate(text: string, to: string, token: string): Promise<string> {
  const response = await fetch(`${BASE}/translate`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ text, to }),
  });
  if (response.status === 429) throw new Error('That was a lot. Please wait an hour.');
  if (!response.ok) throw new Error('Not available right now');
  return (await response.json()).text;
}
