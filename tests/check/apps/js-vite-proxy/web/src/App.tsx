import DOMPurify from 'dompurify';
import { marked } from 'marked';
import { useState } from 'react';
import { useSession } from './session';
import { translate } from './api';
import help from './help.md?raw';

const LANGUAGES = ['French', 'Polish', 'Turkish'];

export function App() {
  const { token } = useSession();
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState('');
  const [error, setError] = useState<string | null>(null);

  async function go(to: string) {
    try {
      setAnswer(await translate(text, to, token));
      setError(null);
    } catch (e) {
      setError(e instanceof Error ? e.message : 'Failed');
    }
  }

  return (
    <main>
      <textarea value={text} maxLength={500} onChange={(e) => setText(e.target.value)} />
      {LANGUAGES.map((to) => <button key={to} onClick={() => go(to)}>{to}</button>)}
      {error && <p role="alert">{error}</p>}
      <section dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(marked(answer) as string) }} />
      <details dangerouslySetInnerHTML={{ __html: marked(help) as string }} />
    </main>
  );
}
