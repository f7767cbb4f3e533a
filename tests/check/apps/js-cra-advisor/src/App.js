import { useState } from 'react';
import ReactMarkdown from 'react-markdown';
import { advise } from './claude';
import { quote } from './quotes';

function App() {
  const [answer, setAnswer] = useState('');
  const [price, setPrice] = useState(null);

  return (
    <div>
      <input id="q" onBlur={async (e) => setAnswer(await advise(e.target.value))} />
      <ReactMarkdown>{answer}</ReactMarkdown>
      <button onClick={async () => setPrice((await quote('AAPL')).price)}>AAPL {price}</button>
    </div>
  );
}

export default App;
