'use client';

import { useCompletion } from '@ai-sdk/react';
import DOMPurify from 'isomorphic-dompurify';
import { marked } from 'marked';

export function Summary() {
  const { completion, input, handleInputChange, handleSubmit } = useCompletion({ api: '/api/summary' });
  const html = DOMPurify.sanitize(marked.parse(completion, { async: false }));
  return (
    <form onSubmit={handleSubmit}>
      <textarea value={input} onChange={handleInputChange} maxLength={20000} />
      <button>Explain</button>
      <article dangerouslySetInnerHTML={{ __html: html }} />
    </form>
  );
}
