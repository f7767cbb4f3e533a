import { useState } from 'react';

export default function Home() {
  const [letter, setLetter] = useState('');

  async function onSubmit(event) {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(event.target));
    const response = await fetch('/api/generate', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const data = await response.json();
    setLetter(data.letter);
  }

  return (
    <form onSubmit={onSubmit}>
      <textarea name="job" placeholder="Paste the job ad" />
      <textarea name="cv" placeholder="Paste your CV" />
      <select name="tone"><option>formal</option><option>casual</option></select>
      <button>Write</button>
      <pre>{letter}</pre>
    </form>
  );
}
