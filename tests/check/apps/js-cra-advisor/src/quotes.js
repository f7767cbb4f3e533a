const BASE = process.env.REACT_APP_API_BASE || 'http://localhost:4000';

export async function quote(symbol) {
  const response = await fetch(`${BASE}/quote/${encodeURIComponent(symbol)}`);
  return response.json();
}

export async function history(symbol) {
  const response = await fetch(`http://quotes.stockapi.net/v2/history?symbol=${encodeURIComponent(symbol)}`);
  return response.json();
}
