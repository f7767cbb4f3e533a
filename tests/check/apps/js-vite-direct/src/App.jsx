import { useState } from 'react';
import { makeCards } from './api/openai';
import { explain } from './api/gemini';

export default function App() {
  const [cards, setCards] = useState([]);
  const [help, setHelp] = useState('');

  return (
    <main>
      <textarea id="text" />
      <button onClick={async () => setCards(await makeCards(document.getElementById('text').value))}>Make cards</button>
      {cards.map((card) => (
        <article key={card.question}>
          <h3>{card.question}</h3>
          <p>{card.answer}</p>
          <button onClick={async () => setHelp(await explain(card))}>Explain</button>
        </article>
      ))}
      <aside dangerouslySetInnerHTML={{ __html: help }} />
    </main>
  );
}
