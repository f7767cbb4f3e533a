'use client';

import { useChat } from '@ai-sdk/react';
import { marked } from 'marked';

export default function Page() {
  const { messages, input, handleInputChange, handleSubmit, isLoading } = useChat();

  return (
    <main className="mx-auto max-w-xl p-4">
      <h1>What is in your pantry?</h1>
      {messages.map((m) => (
        <div key={m.id} className={m.role}>
          {m.role === 'user' ? (
            <p>{m.content}</p>
          ) : (
            <div dangerouslySetInnerHTML={{ __html: marked.parse(m.content) as string }} />
          )}
        </div>
      ))}
      <form onSubmit={handleSubmit}>
        <input value={input} onChange={handleInputChange} disabled={isLoading} maxLength={500} />
      </form>
    </main>
  );
}
